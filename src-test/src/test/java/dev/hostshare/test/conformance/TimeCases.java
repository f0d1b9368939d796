package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EACCES;
import static dev.hostshare.proto.Errno.EINVAL;
import static dev.hostshare.proto.Errno.EPERM;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.Linux;
import dev.hostshare.test.posix.Stat;
import dev.hostshare.test.posix.Timespec;

/** utimensat(2), and which call moves which time. inode(7). */
final class TimeCases {
  private static final Timespec A = new Timespec(1_234_567_890, 123_456_789);
  private static final Timespec B = new Timespec(1_000_000_001, 999_999_999);

  private TimeCases() {}

  @Case
  static void timesAreKeptToTheNanosecond(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.mkdir(s.at("d"), 0755);
    for (var name : new String[] {"f", "d"}) {
      s.me.utimens(s.at(name), A, B);
      assertEquals(A, s.me.stat(s.at(name)).atime());
      assertEquals(B, s.me.stat(s.at(name)).mtime());
    }
    try (var fd = s.me.open(s.at("f"), O_RDONLY)) {
      fd.utimens(B, A);
      assertEquals(B, fd.stat().atime());
      assertEquals(A, s.another().stat(s.at("f")).mtime());
    }
  }

  @Case
  static void timesMayBeFarAway(Scene s) {
    s.me.write(s.at("f"), "");
    var early = new Timespec(-1_000_000_000, 1);
    var late = new Timespec(1L << 33, 2);
    s.me.utimens(s.at("f"), early, late);
    assertEquals(early, s.me.stat(s.at("f")).atime());
    assertEquals(late, s.me.stat(s.at("f")).mtime());
  }

  @Case
  static void omitLeavesATimeAlone(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.utimens(s.at("f"), A, A);
    s.me.utimens(s.at("f"), Timespec.OMIT, B);
    assertEquals(A, s.me.stat(s.at("f")).atime());
    assertEquals(B, s.me.stat(s.at("f")).mtime());
    s.me.utimens(s.at("f"), B, Timespec.OMIT);
    assertEquals(B, s.me.stat(s.at("f")).atime());
    assertEquals(B, s.me.stat(s.at("f")).mtime());
    var before = s.me.stat(s.at("f"));
    s.me.utimens(s.at("f"), Timespec.OMIT, Timespec.OMIT);
    assertEquals(before, s.me.stat(s.at("f")));
  }

  @Case
  static void nowIsTheTimeOfTheCall(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.utimens(s.at("f"), A, A);
    s.me.utimens(s.at("f"), Timespec.OMIT, Timespec.NOW);
    assertEquals(A, s.me.stat(s.at("f")).atime());
    assertIsNow(s.me.stat(s.at("f")).mtime());
    s.me.utimens(s.at("f"), Timespec.NOW, B);
    assertIsNow(s.me.stat(s.at("f")).atime());
    assertEquals(B, s.me.stat(s.at("f")).mtime());
    s.me.touch(s.at("f"));
    assertIsNow(s.me.stat(s.at("f")).mtime());
    assertIsNow(s.me.stat(s.at("f")).ctime());
  }

  private static void assertIsNow(Timespec time) {
    long seconds = System.currentTimeMillis() / 1000;
    assertTrue(Math.abs(time.seconds() - seconds) <= 5, time + " is not about " + seconds);
  }

  @Case
  static void badNanosecondsAreRefused(Scene s) {
    s.me.write(s.at("f"), "");
    assertErrno(EINVAL, () -> s.me.utimens(s.at("f"), new Timespec(1, 1_000_000_000), A));
    assertErrno(EINVAL, () -> s.me.utimens(s.at("f"), A, new Timespec(1, -1)));
  }

  @Case(as = Case.As.ROOT)
  static void whoMaySetTimes(Scene s) {
    s.root.write(s.at("f"), "");
    s.root.chmod(s.at("f"), 0666);
    var user = s.task(Scene.USER);
    user.touch(s.at("f"));
    assertErrno(EPERM, () -> user.utimens(s.at("f"), A, A));
    assertErrno(EPERM, () -> user.utimens(s.at("f"), Timespec.OMIT, Timespec.NOW));
    s.root.chmod(s.at("f"), 0644);
    assertErrno(EACCES, () -> user.touch(s.at("f")));
    s.root.chown(s.at("f"), Scene.USER.uid(), 0);
    s.root.chmod(s.at("f"), 0400);
    user.utimens(s.at("f"), A, A);
    user.touch(s.at("f"));
  }

  @Case
  static void writingMovesContentAndChangeTime(Scene s) {
    s.me.write(s.at("f"), "x");
    var before = s.me.stat(s.at("f"));
    s.awaitTick();
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      fd.pwrite("y", 0);
      assertMoved(before, s.another().stat(s.at("f")), true);
      before = fd.stat();
      s.awaitTick();
      fd.truncate(0);
      assertMoved(before, fd.stat(), true);
    }
    before = s.me.stat(s.at("f"));
    s.awaitTick();
    s.me.truncate(s.at("f"), 10);
    assertMoved(before, s.me.stat(s.at("f")), true);
  }

  @Case
  static void changingAttributesMovesChangeTimeOnly(Scene s) {
    s.me.write(s.at("f"), "x");
    check(s, () -> s.me.chmod(s.at("f"), 0600));
    check(s, () -> s.root.chown(s.at("f"), s.me.identity().uid(), 4001));
    check(s, () -> s.me.setxattr(s.at("f"), "user.a", new byte[1], 0));
    check(s, () -> s.me.removexattr(s.at("f"), "user.a"));
    check(s, () -> s.me.link(s.at("f"), s.at("g")));
    check(s, () -> s.me.unlink(s.at("g")));
    check(s, () -> s.me.rename(s.at("f"), s.at("h")), s.at("f"), s.at("h"));
  }

  private static void check(Scene s, Runnable change) {
    check(s, change, s.at("f"), s.at("f"));
  }

  private static void check(Scene s, Runnable change, String path, String pathAfter) {
    var before = s.me.stat(path);
    s.awaitTick();
    change.run();
    assertMoved(before, s.me.stat(pathAfter), false);
  }

  private static void assertMoved(Stat before, Stat after, boolean content) {
    assertTrue(
        after.ctime().isAfter(before.ctime()),
        () -> "ctime stays: " + before.ctime() + " " + after.ctime());
    assertEquals(content, after.mtime().isAfter(before.mtime()), "mtime moves");
    assertEquals(before.btime(), after.btime());
  }

  @Case
  static void entriesMoveTheTimesOfTheirDirectory(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.mkdir(s.at("e"), 0755);
    checkDirectory(s, "d", () -> s.me.write(s.at("d/f"), ""));
    checkDirectory(s, "d", () -> s.me.mkdir(s.at("d/g"), 0755));
    checkDirectory(s, "d", () -> s.me.symlink("x", s.at("d/l")));
    checkDirectory(s, "d", () -> s.me.mknod(s.at("d/p"), Linux.S_IFIFO | 0644, 0, 0));
    checkDirectory(s, "d", () -> s.me.link(s.at("d/f"), s.at("d/h")));
    checkDirectory(s, "d", () -> s.me.rename(s.at("d/f"), s.at("d/i")));
    checkDirectory(s, "d", () -> s.me.rename(s.at("d/i"), s.at("e/i")));
    checkDirectory(s, "e", () -> s.me.rename(s.at("d/h"), s.at("e/h")));
    checkDirectory(s, "d", () -> s.me.rmdir(s.at("d/g")));
    checkDirectory(s, "d", () -> s.me.unlink(s.at("d/l")));
  }

  private static void checkDirectory(Scene s, String name, Runnable change) {
    var before = s.me.stat(s.at(name));
    s.awaitTick();
    change.run();
    assertMoved(before, s.me.stat(s.at(name)), true);
  }

  @Case
  static void readingMovesNoContentOrChangeTime(Scene s) {
    s.me.write(s.at("f"), "x");
    var before = s.me.stat(s.at("f"));
    s.awaitTick();
    assertEquals("x", s.me.readText(s.at("f")));
    s.me.open(s.at("f"), O_RDWR).close();
    var after = s.me.stat(s.at("f"));
    assertEquals(before.mtime(), after.mtime());
    assertEquals(before.ctime(), after.ctime());
  }

  @Case
  static void birthTimeComesFirstAndStays(Scene s) {
    s.me.write(s.at("f"), "x");
    var stat = s.me.stat(s.at("f"));
    assertIsNow(stat.btime());
    assertFalse(stat.btime().isAfter(stat.ctime()));
    s.me.utimens(s.at("f"), A, A);
    assertEquals(stat.btime(), s.me.stat(s.at("f")).btime());
  }

  @Case
  static void setTimesSurviveReadingAndClosing(Scene s) {
    s.me.write(s.at("f"), "x");
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      fd.pwrite("y", 0);
      fd.utimens(A, A);
    }
    assertEquals(A, s.me.stat(s.at("f")).mtime());
    s.me.write(s.at("g"), "z");
    s.me.utimens(s.at("g"), B, B);
    assertEquals(B, s.another().stat(s.at("g")).mtime());
  }
}
