package dev.hostshare.fileserver.overlay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class LongSetTest {
  @Test
  void agreesWithHashSetWhateverIsAddedAndRemoved() {
    LongSet set = new LongSet(1 << 20);
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
    for (long v = 0; v < 3000; v++) {
      for (int shift = 0; shift < 32; shift += 8) {
        assertEquals(
            model.contains(v << shift), set.mayContain(v << shift), "value " + (v << shift));
      }
    }
  }

  @Test
  void takesAnyNumberWithinItsBytes() {
    // 8,192 slots: 5,461 values exactly, 49,152 with one error in a hundred.
    LongSet set = new LongSet(64 << 10);
    long[] values = new Random(7).longs(49_152).toArray();
    values[0] = 0;
    for (int i = 0; i < 5000; i++) {
      set.add(values[i]);
    }
    assertEquals(0, notInIt(set));
    for (long value : values) {
      set.add(value);
    }
    for (int i = 0; i < 100; i++) {
      set.remove(values[i]); // whatever that does, the others stay
    }
    for (int i = 100; i < values.length; i++) {
      assertTrue(set.mayContain(values[i]));
    }
    assertTrue(Math.abs(notInIt(set) - 1000) < 300, () -> notInIt(set) + " of 100,000");
  }

  /** How many of 100,000 that were never added it takes to be in it. */
  private static long notInIt(LongSet set) {
    return new Random(8).longs(100_000).filter(set::mayContain).count();
  }
}
