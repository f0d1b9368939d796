package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EAGAIN;
import static dev.hostshare.proto.Errno.EINTR;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.hostshare.test.posix.ErrnoException;
import dev.hostshare.test.posix.Sys;
import java.util.concurrent.ExecutionException;

/** flock(2). */
final class FlockCases {
  private static final int SHARED = 1;
  private static final int EXCLUSIVE = 2;
  private static final int UNLOCK = 8;
  private static final int NOW = 4;

  private FlockCases() {}

  @Case
  static void exclusiveLockKeepsOthersOut(Scene s) {
    try (var a = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644);
        var b = s.another().open(s.at("f"), O_RDONLY);
        var again = s.me.open(s.at("f"), O_RDONLY)) {
      a.flock(EXCLUSIVE);
      assertErrno(EAGAIN, () -> b.flock(EXCLUSIVE | NOW));
      assertErrno(EAGAIN, () -> b.flock(SHARED | NOW));
      // The lock belongs to the open file, not to the process.
      assertErrno(EAGAIN, () -> again.flock(SHARED | NOW));
      a.flock(UNLOCK);
      b.flock(EXCLUSIVE | NOW);
    }
  }

  @Case
  static void sharedLocksGoTogether(Scene s) {
    try (var a = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644);
        var b = s.another().open(s.at("f"), O_RDONLY)) {
      a.flock(SHARED);
      b.flock(SHARED);
      assertErrno(EAGAIN, () -> a.flock(EXCLUSIVE | NOW));
      b.flock(UNLOCK);
      a.flock(EXCLUSIVE | NOW);
      assertErrno(EAGAIN, () -> b.flock(SHARED | NOW));
    }
  }

  @Case
  static void lastCloseUnlocks(Scene s) {
    var a = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644);
    var same = a.dup();
    try (var b = s.another().open(s.at("f"), O_RDWR)) {
      a.flock(EXCLUSIVE);
      a.close();
      assertErrno(EAGAIN, () -> b.flock(EXCLUSIVE | NOW));
      same.close();
      b.flock(EXCLUSIVE);
    }
  }

  @Case
  static void endOfTheProcessUnlocks(Scene s) {
    s.me.write(s.at("f"), "");
    var other = s.another();
    other.open(s.at("f"), O_RDWR).flock(EXCLUSIVE);
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      assertErrno(EAGAIN, () -> fd.flock(EXCLUSIVE | NOW));
      other.close();
      fd.flock(EXCLUSIVE);
    }
  }

  @Case
  static void waiterGetsTheLock(Scene s) throws Exception {
    var other = s.another();
    try (var a = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644);
        var b = other.open(s.at("f"), O_RDWR)) {
      a.flock(EXCLUSIVE);
      var waiting = b.flockWaiting(EXCLUSIVE);
      other.awaitBlockedIn(Sys.FLOCK);
      assertFalse(waiting.isDone());
      a.flock(UNLOCK);
      assertEquals(0, waiting.get(10, SECONDS));
      assertErrno(EAGAIN, () -> a.flock(SHARED | NOW));
    }
  }

  @Case
  static void signalEndsTheWait(Scene s) {
    var other = s.another();
    try (var a = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644);
        var b = other.open(s.at("f"), O_RDWR)) {
      a.flock(EXCLUSIVE);
      var waiting = b.flockWaiting(EXCLUSIVE);
      other.awaitBlockedIn(Sys.FLOCK);
      other.interrupt();
      var e = assertThrows(ExecutionException.class, () -> waiting.get(10, SECONDS));
      assertEquals(EINTR, assertInstanceOf(ErrnoException.class, e.getCause()).errno());
      a.flock(UNLOCK);
      a.flock(EXCLUSIVE | NOW);
      a.flock(UNLOCK);
      b.flock(EXCLUSIVE | NOW);
    }
  }

  @Case
  static void lockStaysWithARenamedFile(Scene s) {
    try (var a = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      a.flock(EXCLUSIVE);
      s.me.rename(s.at("f"), s.at("g"));
      try (var b = s.another().open(s.at("g"), O_RDWR)) {
        assertErrno(EAGAIN, () -> b.flock(EXCLUSIVE | NOW));
      }
    }
  }
}
