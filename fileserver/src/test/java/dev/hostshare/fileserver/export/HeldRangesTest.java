package dev.hostshare.fileserver.export;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.Linux;
import org.junit.jupiter.api.Test;

final class HeldRangesTest {
  @Test
  void unlockingTheMiddleLeavesBothEnds() {
    HeldRanges ranges = new HeldRanges();
    ranges.set(Linux.F_WRLCK, 0, Long.MAX_VALUE);
    ranges.set(Linux.F_UNLCK, 10, 19);
    assertTrue(ranges.holds(Linux.F_WRLCK, 0, 9));
    assertFalse(ranges.holds(Linux.F_WRLCK, 10, 10));
    assertTrue(ranges.holds(Linux.F_WRLCK, 20, Long.MAX_VALUE));
  }

  @Test
  void aNewLockReplacesWhatItOverlaps() {
    HeldRanges ranges = new HeldRanges();
    ranges.set(Linux.F_RDLCK, 0, 99);
    ranges.set(Linux.F_WRLCK, 50, 149);
    assertTrue(ranges.holds(Linux.F_RDLCK, 0, 49));
    assertFalse(ranges.holds(Linux.F_RDLCK, 50, 50));
    assertTrue(ranges.holds(Linux.F_WRLCK, 50, 149));
    ranges.set(Linux.F_UNLCK, 0, Long.MAX_VALUE);
    assertTrue(ranges.isEmpty());
  }
}
