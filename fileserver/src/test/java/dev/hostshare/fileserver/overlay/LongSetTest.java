package dev.hostshare.fileserver.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class LongSetTest {
  @Test
  void agreesWithHashSetWhateverIsAddedAndRemoved() {
    LongSet set = new LongSet();
    Set<Long> model = new HashSet<>();
    Random random = new Random(42);
    for (int i = 0; i < 200_000; i++) {
      // Few distinct low bits, so that runs collide and deletions have to mend them.
      long value = random.nextLong(3000) << (random.nextInt(4) * 8);
      if (random.nextInt(3) == 0) {
        set.remove(value);
        model.remove(value);
      } else {
        set.add(value);
        model.add(value);
      }
    }
    assertEquals(model.size(), set.size());
    for (long v = 0; v < 3000; v++) {
      for (int shift = 0; shift < 32; shift += 8) {
        assertEquals(model.contains(v << shift), set.contains(v << shift), "value " + (v << shift));
      }
    }
  }
}
