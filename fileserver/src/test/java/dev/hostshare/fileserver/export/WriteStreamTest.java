package dev.hostshare.fileserver.export;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WriteStreamTest {
  private static final long MIB = 1 << 20;

  private final WriteStream stream = new WriteStream();
  private final List<Long> begun = new ArrayList<>();

  private void wrote(long mib) {
    long begin = stream.wrote(mib * MIB, MIB);
    if (begin >= 0) {
      begun.add(begin / MIB);
    }
  }

  @Test
  void beginsWithEachPartOfALongFileOnceAndInOrder() {
    for (int i = 0; i < 64; i += 2) {
      wrote(i + 1); // out of order
      wrote(i);
    }
    assertEquals(List.of(0L, 8L, 16L, 24L, 32L, 40L, 48L), begun);
  }

  @Test
  void leavesShortAndScatteredWritesToTheKernel() {
    for (int i = 0; i < 31; i++) {
      wrote(i);
    }
    for (int i = 0; i < 100; i++) {
      wrote(1000 + (i * 37) % 100 * 20);
    }
    assertEquals(List.of(), begun);
  }
}
