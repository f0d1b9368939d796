package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EAGAIN;
import static dev.hostshare.proto.Errno.EBADF;
import static dev.hostshare.proto.Errno.EDEADLK;
import static dev.hostshare.proto.Errno.EINTR;
import static dev.hostshare.proto.Linux.F_RDLCK;
import static dev.hostshare.proto.Linux.F_UNLCK;
import static dev.hostshare.proto.Linux.F_WRLCK;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.proto.Linux.O_WRONLY;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.hostshare.test.posix.ErrnoException;
import dev.hostshare.test.posix.Fd;
import dev.hostshare.test.posix.Flock;
import dev.hostshare.test.posix.Sys;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** fcntl(2), advisory record locking. */
final class FcntlLockCases {
  private FcntlLockCases() {}

  private static Fd create(Scene s) {
    return s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644);
  }

  private static Flock write(long start, long length) {
    return new Flock(F_WRLCK, start, length);
  }

  private static Flock read(long start, long length) {
    return new Flock(F_RDLCK, start, length);
  }

  private static Flock unlock(long start, long length) {
    return new Flock(F_UNLCK, start, length);
  }

  @Case
  static void onlyOverlappingRangesConflict(Scene s) {
    try (var a = create(s);
        var b = s.another().open(s.at("f"), O_RDWR)) {
      a.lock(write(10, 10));
      b.lock(write(0, 10));
      b.lock(write(20, 10));
      assertErrno(EAGAIN, () -> b.lock(write(15, 1)));
      assertErrno(EAGAIN, () -> b.lock(write(19, 5)));
      assertErrno(EAGAIN, () -> b.lock(read(0, 0)));
      a.lock(unlock(10, 10));
      b.lock(write(0, 0));
    }
  }

  @Case
  static void readersGoTogether(Scene s) {
    try (var a = create(s);
        var b = s.another().open(s.at("f"), O_RDWR)) {
      a.lock(read(0, 0));
      b.lock(read(0, 0));
      assertErrno(EAGAIN, () -> a.lock(write(0, 1)));
      b.lock(unlock(0, 0));
      a.lock(write(0, 1));
      assertErrno(EAGAIN, () -> b.lock(read(0, 1)));
      b.lock(read(1, 1));
    }
  }

  @Case
  static void conflictIsReported(Scene s) {
    try (var a = create(s);
        var b = s.another().open(s.at("f"), O_RDWR)) {
      assertEquals(F_UNLCK, b.conflict(write(0, 0)).type());
      a.lock(write(100, 50));
      int holder = (int) ProcessHandle.current().pid();
      assertEquals(new Flock(F_WRLCK, 100, 50, holder), b.conflict(read(0, 0)));
      assertEquals(F_UNLCK, b.conflict(read(0, 100)).type());
      assertEquals(F_UNLCK, a.conflict(write(0, 0)).type(), "one's own is none");
    }
  }

  @Case
  static void unlockingTheMiddleSplits(Scene s) {
    try (var a = create(s);
        var b = s.another().open(s.at("f"), O_RDWR)) {
      a.lock(write(0, 30));
      a.lock(unlock(10, 10));
      b.lock(write(10, 10));
      assertErrno(EAGAIN, () -> b.lock(write(9, 1)));
      assertErrno(EAGAIN, () -> b.lock(write(20, 1)));
      a.lock(read(0, 10));
      b.lock(read(0, 10));
    }
  }

  @Case
  static void lengthZeroReachesBeyondAnyEnd(Scene s) {
    try (var a = create(s);
        var b = s.another().open(s.at("f"), O_RDWR)) {
      a.lock(write(1000, 0));
      a.pwrite("x", 100_000);
      assertErrno(EAGAIN, () -> b.lock(write(1L << 40, 1)));
      b.lock(write(0, 1000));
      assertEquals(0, b.conflict(write(5000, 1)).length());
    }
  }

  /** The rule that surprises: closing any descriptor of the file gives all locks back. */
  @Case
  static void closingAnyDescriptorUnlocks(Scene s) {
    try (var a = create(s);
        var b = s.another().open(s.at("f"), O_RDWR)) {
      a.lock(write(0, 0));
      assertErrno(EAGAIN, () -> b.lock(write(0, 0)));
      s.me.open(s.at("f"), O_RDONLY).close();
      b.lock(write(0, 0));
    }
  }

  @Case
  static void endOfTheProcessUnlocks(Scene s) {
    var other = s.another();
    try (var a = create(s)) {
      other.open(s.at("f"), O_RDWR).lock(write(0, 0));
      assertErrno(EAGAIN, () -> a.lock(write(0, 0)));
      other.close();
      a.lock(write(0, 0));
    }
  }

  @Case
  static void processReplacesItsOwnLocks(Scene s) {
    try (var a = create(s);
        var again = s.me.open(s.at("f"), O_RDWR);
        var b = s.another().open(s.at("f"), O_RDWR)) {
      a.lock(write(0, 10));
      again.lock(read(0, 10));
      b.lock(read(0, 10));
    }
  }

  @Case
  static void lockTypeMustFitTheDescriptor(Scene s) {
    create(s).close();
    try (var reader = s.me.open(s.at("f"), O_RDONLY);
        var writer = s.me.open(s.at("f"), O_WRONLY)) {
      assertErrno(EBADF, () -> reader.lock(write(0, 0)));
      assertErrno(EBADF, () -> writer.lock(read(0, 0)));
      reader.lock(read(0, 0));
    }
  }

  @Case
  static void waiterGetsTheLock(Scene s) throws Exception {
    var other = s.another();
    try (var a = create(s);
        var b = other.open(s.at("f"), O_RDWR)) {
      a.lock(write(0, 10));
      var waiting = b.lockWaiting(write(5, 10));
      other.awaitBlockedIn(Sys.FCNTL);
      assertFalse(waiting.isDone());
      a.lock(unlock(0, 10));
      assertEquals(0, waiting.get(10, SECONDS));
      assertErrno(EAGAIN, () -> a.lock(read(14, 1)));
    }
  }

  @Case
  static void signalEndsTheWait(Scene s) {
    var other = s.another();
    try (var a = create(s);
        var b = other.open(s.at("f"), O_RDWR)) {
      a.lock(write(0, 0));
      var waiting = b.lockWaiting(write(0, 0));
      other.awaitBlockedIn(Sys.FCNTL);
      other.interrupt();
      var e = assertThrows(ExecutionException.class, () -> waiting.get(10, SECONDS));
      assertEquals(EINTR, assertInstanceOf(ErrnoException.class, e.getCause()).errno());
      a.lock(unlock(0, 0));
      a.lock(write(0, 0));
    }
  }

  @Case
  static void deadlockIsDetected(Scene s) throws Exception {
    var other = s.another();
    try (var a = create(s);
        var b = other.open(s.at("f"), O_RDWR)) {
      a.lock(write(0, 1));
      b.lock(write(1, 1));
      var ours = a.lockWaiting(write(1, 1));
      var theirs = b.lockWaiting(write(0, 1));
      try {
        // The one that closes the circle is told; which of the two that is, is the kernel's affair.
        var e =
            assertThrows(
                ExecutionException.class,
                () -> CompletableFuture.anyOf(ours, theirs).get(5, SECONDS));
        assertEquals(EDEADLK, assertInstanceOf(ErrnoException.class, e.getCause()).errno());
      } catch (AssertionError e) {
        // Else neither could close its file.
        s.me.interrupt();
        other.interrupt();
        throw e;
      }
      if (ours.isCompletedExceptionally()) {
        assertFalse(theirs.isDone());
        a.lock(unlock(0, 1));
        assertEquals(0, theirs.get(10, SECONDS));
      } else {
        assertFalse(ours.isDone());
        b.lock(unlock(1, 1));
        assertEquals(0, ours.get(10, SECONDS));
      }
    }
  }

  @Case
  static void descriptionLocksKeepTheSameProcessOut(Scene s) {
    try (var a = create(s);
        var b = s.me.open(s.at("f"), O_RDWR)) {
      a.lockDescription(write(0, 10));
      assertErrno(EAGAIN, () -> b.lockDescription(write(5, 1)));
      s.me.open(s.at("f"), O_RDONLY).close();
      assertErrno(EAGAIN, () -> b.lockDescription(write(5, 1)));
      a.lockDescription(unlock(0, 10));
      b.lockDescription(write(5, 1));
    }
  }
}
