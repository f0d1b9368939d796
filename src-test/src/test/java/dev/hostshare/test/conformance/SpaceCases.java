package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EBADF;
import static dev.hostshare.proto.Errno.EINVAL;
import static dev.hostshare.proto.Errno.ENXIO;
import static dev.hostshare.proto.Linux.FALLOC_FL_KEEP_SIZE;
import static dev.hostshare.proto.Linux.FALLOC_FL_PUNCH_HOLE;
import static dev.hostshare.proto.Linux.FALLOC_FL_ZERO_RANGE;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.proto.Linux.SEEK_DATA;
import static dev.hostshare.proto.Linux.SEEK_HOLE;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** fallocate(2), lseek(2) for data and holes, statfs(2). */
final class SpaceCases {
  private static final int MIB = 1 << 20;

  private SpaceCases() {}

  @Case
  static void allocateReservesAndExtends(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      fd.pwrite("data", 0);
      fd.allocate(0, 0, 2 * MIB);
      assertEquals(2 * MIB, fd.stat().size());
      assertTrue(fd.stat().blocks() * 512 >= 2 * MIB);
      assertEquals("data", fd.preadText(4, 0));
      assertArrayEquals(new byte[100], fd.pread(100, MIB));
      assertEquals(2 * MIB, s.another().stat(s.at("f")).size());
    }
  }

  @Case
  static void allocateCanKeepTheSize(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      fd.pwrite("data", 0);
      fd.allocate(FALLOC_FL_KEEP_SIZE, 0, MIB);
      assertEquals(4, fd.stat().size());
      assertTrue(fd.stat().blocks() * 512 >= MIB);
    }
  }

  @Case
  static void punchedHoleReadsAsZerosAndGivesRoomBack(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      fd.writeFully(ones(2 * MIB));
      fd.fsync();
      long before = fd.stat().blocks();
      assertEquals(1, fd.pread(1, MIB)[0], "read into the page cache before the hole is made");
      fd.allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, MIB, MIB);
      assertEquals(2 * MIB, fd.stat().size());
      assertArrayEquals(new byte[MIB], fd.pread(MIB, MIB));
      assertEquals(1, fd.pread(1, MIB - 1)[0]);
      assertTrue(fd.stat().blocks() <= before - MIB / 512 + 16);
    }
  }

  @Case
  static void zeroedRangeReadsAsZeros(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      fd.writeFully(ones(100_000));
      fd.allocate(FALLOC_FL_ZERO_RANGE, 10_000, 20_000);
      assertArrayEquals(new byte[20_000], fd.pread(20_000, 10_000));
      assertEquals(1, fd.pread(1, 9_999)[0]);
      assertEquals(1, fd.pread(1, 30_000)[0]);
      fd.allocate(FALLOC_FL_ZERO_RANGE, 90_000, 20_000);
      assertEquals(110_000, fd.stat().size());
    }
  }

  @Case
  static void allocateChecksItsArguments(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644);
        var readOnly = s.me.open(s.at("f"), O_RDONLY)) {
      assertErrno(EINVAL, () -> fd.allocate(0, 0, 0));
      assertErrno(EINVAL, () -> fd.allocate(0, -1, 10));
      assertErrno(EBADF, () -> readOnly.allocate(0, 0, 10));
      assertErrno(
          dev.hostshare.proto.Errno.EOPNOTSUPP, () -> fd.allocate(FALLOC_FL_PUNCH_HOLE, 0, 10));
    }
  }

  @Case
  static void dataAndHolesAreFound(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      fd.pwrite(ones(MIB), 2 * MIB);
      fd.truncate(8 * MIB);
      fd.fsync();
      assertEquals(2 * MIB, fd.seek(0, SEEK_DATA));
      assertEquals(2 * MIB + 5, fd.seek(2 * MIB + 5, SEEK_DATA));
      assertEquals(3 * MIB, fd.seek(2 * MIB, SEEK_HOLE));
      assertEquals(0, fd.seek(0, SEEK_HOLE));
      assertErrno(ENXIO, () -> fd.seek(4 * MIB, SEEK_DATA));
      assertErrno(ENXIO, () -> fd.seek(8 * MIB, SEEK_HOLE));
    }
  }

  @Case
  static void freshDataIsFoundBeforeItIsSynced(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      fd.pwrite(ones(4096), 0);
      assertEquals(0, fd.seek(0, SEEK_DATA));
      assertEquals(4096, fd.seek(0, SEEK_HOLE), "the end counts as a hole");
    }
  }

  @Case
  static void statfsIsPlausible(Scene s) {
    var statfs = s.me.statfs(s.dir);
    assertTrue(statfs.bsize() > 0);
    assertTrue(statfs.blocks() > 0);
    assertTrue(statfs.bavail() <= statfs.bfree() && statfs.bfree() <= statfs.blocks());
    assertTrue(statfs.ffree() <= statfs.files());
    assertEquals(255, statfs.namelen());
  }

  private static byte[] ones(int length) {
    byte[] data = new byte[length];
    java.util.Arrays.fill(data, (byte) 1);
    return data;
  }
}
