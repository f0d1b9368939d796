package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EINVAL;
import static dev.hostshare.proto.Linux.O_APPEND;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_DIRECT;
import static dev.hostshare.proto.Linux.O_DIRECTORY;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.proto.Linux.O_SYNC;
import static dev.hostshare.proto.Linux.O_WRONLY;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.test.posix.Fd;
import dev.hostshare.test.posix.Sys;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Random;
import java.util.concurrent.Executors;

/** read(2), write(2), truncate(2), copy_file_range(2), lseek(2), fsync(2). */
final class DataCases {
  private static final long GIB = 1L << 30;
  private static final int SEEK_SET = 0;
  private static final int SEEK_CUR = 1;
  private static final int SEEK_END = 2;

  private DataCases() {}

  @Case
  static void largeWriteReadsBackByteForByte(Scene s) {
    byte[] data = random(9_000_001);
    s.me.write(s.at("f"), data);
    assertArrayEquals(data, s.me.read(s.at("f")));
    assertArrayEquals(data, s.another().read(s.at("f")));
  }

  @Case
  static void smallWritesAtOddOffsetsAddUp(Scene s) {
    byte[] data = random(100_000);
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      var random = new Random(2);
      for (int at = 0; at < data.length; ) {
        int length = Math.min(1 + random.nextInt(5000), data.length - at);
        assertEquals(length, fd.pwrite(slice(data, at, length), at));
        at += length;
      }
      assertArrayEquals(data, fd.pread(200_000, 0));
      assertArrayEquals(slice(data, 4095, 4099), fd.pread(4099, 4095));
    }
  }

  @Case
  static void writeIsSeenAtOnceByOthers(Scene s) {
    var other = s.another();
    try (var writer = s.me.open(s.at("f"), O_CREAT | O_WRONLY, 0644);
        var reader = other.open(s.at("f"), O_RDONLY)) {
      for (int i = 0; i < 20; i++) {
        writer.pwrite("line " + i + "\n", i * 10L);
        assertTrue(reader.preadText(20, i * 10L).startsWith("line " + i));
        assertEquals(writer.stat().size(), other.stat(s.at("f")).size());
      }
      writer.truncate(3);
      assertEquals("lin", reader.preadText(100, 0));
    }
  }

  @Case
  static void readStopsAtTheEnd(Scene s) {
    s.me.write(s.at("f"), "12345");
    try (var fd = s.me.open(s.at("f"), O_RDONLY)) {
      assertEquals("45", fd.preadText(100, 3));
      assertEquals("", fd.preadText(100, 5));
      assertEquals("", fd.preadText(100, 1 << 20));
      assertErrno(EINVAL, () -> fd.pread(1, -1));
    }
  }

  @Case
  static void fileMayBeLargerThan4GiBAndHoleyAllOver(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      fd.pwrite("start", 0);
      fd.pwrite("beyond", 5 * GIB + 3);
      assertEquals(5 * GIB + 9, fd.stat().size());
      assertEquals("beyond", fd.preadText(100, 5 * GIB + 3));
      assertArrayEquals(new byte[4096], fd.pread(4096, 4 * GIB - 2048));
      fd.fsync();
      assertTrue(fd.stat().blocks() < 1000, "holes take no room");
      fd.truncate(6 * GIB);
      assertEquals(6 * GIB, s.another().stat(s.at("f")).size());
    }
  }

  @Case
  static void truncateCutsAndFillsWithZeros(Scene s) {
    s.me.write(s.at("f"), "1234567890");
    s.me.truncate(s.at("f"), 4);
    s.me.truncate(s.at("f"), 8);
    assertArrayEquals(new byte[] {'1', '2', '3', '4', 0, 0, 0, 0}, s.me.read(s.at("f")));
    assertErrno(EINVAL, () -> s.me.truncate(s.at("f"), -1));
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      fd.truncate(2);
      assertEquals("12", fd.preadText(10, 0));
      assertErrno(EINVAL, () -> fd.truncate(-1));
    }
  }

  @Case
  static void writeBeyondTheEndLeavesZerosBetween(Scene s) {
    s.me.write(s.at("f"), "ab");
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      fd.truncate(1);
      fd.pwrite("z", 9000);
      byte[] all = fd.pread(10_000, 0);
      assertEquals(9001, all.length);
      assertEquals('a', all[0]);
      for (int i = 1; i < 9000; i++) {
        assertEquals(0, all[i], "at " + i);
      }
    }
  }

  /** open(2): with O_APPEND every write goes to the end, whoever wrote meanwhile. */
  @Case
  static void appendsOfTwoProcessesInterleaveWhole(Scene s) throws Exception {
    s.me.write(s.at("log"), "");
    var other = s.another();
    try (var a = s.me.open(s.at("log"), O_WRONLY | O_APPEND);
        var b = other.open(s.at("log"), O_WRONLY | O_APPEND);
        var threads = Executors.newFixedThreadPool(2)) {
      var first = threads.submit(() -> append(a, "a"));
      var second = threads.submit(() -> append(b, "b"));
      first.get();
      second.get();
    }
    var counts = new HashMap<String, Integer>();
    s.me.readText(s.at("log")).lines().forEach(line -> counts.merge(line, 1, Integer::sum));
    assertEquals(600, counts.size());
    counts.forEach((line, times) -> assertEquals(1, times, line));
  }

  private static void append(Fd fd, String who) {
    for (int i = 0; i < 300; i++) {
      byte[] line =
          (who.repeat(1 + i % 50) + i + "\n").getBytes(java.nio.charset.StandardCharsets.US_ASCII);
      assertEquals(line.length, fd.write(line));
    }
  }

  @Case
  static void appendIgnoresThePosition(Scene s) {
    s.me.write(s.at("f"), "start");
    try (var fd = s.me.open(s.at("f"), O_RDWR | O_APPEND)) {
      fd.seek(0, SEEK_SET);
      fd.write("+1");
      // Linux appends even here, against POSIX: pwrite(2), BUGS.
      fd.pwrite("+2", 0);
      assertEquals("start+1+2", fd.preadText(100, 0));
    }
  }

  @Case
  static void positionBelongsToTheOpenFile(Scene s) {
    s.me.write(s.at("f"), "0123456789");
    try (var fd = s.me.open(s.at("f"), O_RDWR);
        var same = fd.dup();
        var own = s.me.open(s.at("f"), O_RDONLY)) {
      fd.read(3);
      assertEquals(3, same.seek(0, SEEK_CUR));
      assertEquals(0, own.seek(0, SEEK_CUR));
      assertEquals(8, same.seek(-2, SEEK_END));
      assertEquals('8', fd.read(1)[0]);
      assertEquals(20, fd.seek(20, SEEK_SET));
      assertErrno(EINVAL, () -> fd.seek(-1, SEEK_SET));
      assertErrno(EINVAL, () -> fd.seek(0, 99));
    }
  }

  @Case
  static void directTransfersAreSeenByBufferedOnes(Scene s) {
    try (var arena = Arena.ofConfined();
        var direct = s.me.open(s.at("f"), O_CREAT | O_RDWR | O_DIRECT, 0644);
        var buffered = s.me.open(s.at("f"), O_RDWR)) {
      MemorySegment block = arena.allocate(8192, 4096).fill((byte) 'd');
      assertEquals(8192, direct.transfer(Sys.PWRITE64, block, 0));
      assertEquals("d".repeat(8192), buffered.preadText(10_000, 0));
      buffered.pwrite("b".repeat(4096), 4096);
      assertEquals(8192, direct.transfer(Sys.PREAD64, block, 0));
      assertEquals('d', block.get(ValueLayout.JAVA_BYTE, 4095));
      assertEquals('b', block.get(ValueLayout.JAVA_BYTE, 4096));
    }
  }

  @Case
  static void copyFileRangeCopiesWithinAndAcross(Scene s) {
    byte[] data = random(300_000);
    s.me.write(s.at("a"), data);
    try (var a = s.me.open(s.at("a"), O_RDWR);
        var b = s.me.open(s.at("b"), O_CREAT | O_RDWR, 0644)) {
      copyAll(a, 1000, b, 5, 200_000);
      assertArrayEquals(slice(data, 1000, 200_000), b.pread(300_000, 5));
      assertArrayEquals(new byte[5], b.pread(5, 0));
      copyAll(a, 0, a, 200_000, 50_000);
      assertArrayEquals(slice(data, 0, 50_000), a.pread(50_000, 200_000));
      assertEquals(0, a.copyTo(b, 400_000, 0, 10));
      assertErrno(EINVAL, () -> a.copyTo(a, 0, 5, 10));
    }
    assertEquals(200_005, s.another().stat(s.at("b")).size());
  }

  private static void copyAll(Fd from, long offset, Fd to, long targetOffset, long length) {
    for (long done = 0; done < length; ) {
      long count = from.copyTo(to, offset + done, targetOffset + done, length - done);
      assertTrue(count > 0, "copied nothing at " + done);
      done += count;
    }
  }

  @Case
  static void everythingCanBeSynced(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR | O_SYNC, 0644);
        var readOnly = s.me.open(s.at("f"), O_RDONLY);
        var folder = s.me.open(s.dir, O_RDONLY | O_DIRECTORY)) {
      fd.write("x");
      fd.fsync();
      fd.fdatasync();
      readOnly.fsync();
      folder.fsync();
      folder.fdatasync();
      folder.syncfs();
    }
  }

  @Case
  static void emptyWriteChangesNothing(Scene s) {
    s.me.write(s.at("f"), "x");
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      assertEquals(0, fd.pwrite("", 100));
      assertEquals(1, fd.stat().size());
    }
  }

  private static byte[] random(int length) {
    byte[] data = new byte[length];
    new Random(length).nextBytes(data);
    return data;
  }

  private static byte[] slice(byte[] data, int from, int length) {
    return java.util.Arrays.copyOfRange(data, from, from + length);
  }
}
