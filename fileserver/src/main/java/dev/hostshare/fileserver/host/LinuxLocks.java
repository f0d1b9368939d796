package dev.hostshare.fileserver.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.lang.foreign.MemorySegment;

/**
 * Advisory locks by Linux system calls: fcntl(2)'s of an open file description, and flock(2). A
 * wait ends when it is granted, or with EINTR when its {@link BlockingCall} is cancelled.
 */
final class LinuxLocks {
  // include/uapi/linux/fcntl.h: locks that belong to an open file description.
  private static final int F_OFD_GETLK = 36;
  private static final int F_OFD_SETLK = 37;
  private static final int F_OFD_SETLKW = 38;

  private static final int LOCK_SH = 1;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final int LOCK_UN = 8;

  private LinuxLocks() {}

  static boolean tryLock(int fd, int type, long start, long end) throws ErrnoException {
    try {
      fcntlLock(fd, F_OFD_SETLK, type, start, end);
      return true;
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EAGAIN || e.errno() == Errno.EACCES) {
        return false;
      }
      throw e;
    }
  }

  static HostFs.HeldLock testLock(int fd, int type, long start, long end) throws ErrnoException {
    MemorySegment lock = fcntlLock(fd, F_OFD_GETLK, type, start, end);
    int found = lock.get(JAVA_SHORT, 0);
    if (found == Linux.F_UNLCK) {
      return null;
    }
    long from = lock.get(JAVA_LONG, 8);
    long length = lock.get(JAVA_LONG, 16);
    long to = length == 0 ? Long.MAX_VALUE : from + length - 1;
    return new HostFs.HeldLock(found, from, to, Math.max(0, lock.get(JAVA_INT, 24)));
  }

  static void lock(int fd, int type, long start, long end, BlockingCall turn)
      throws ErrnoException {
    waiting(turn, () -> fcntlLock(fd, F_OFD_SETLKW, type, start, end));
  }

  static boolean tryFlock(int fd, int type) throws ErrnoException {
    try {
      flock(fd, type, LOCK_NB);
      return true;
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EAGAIN) {
        return false;
      }
      throw e;
    }
  }

  static void flock(int fd, int type, BlockingCall turn) throws ErrnoException {
    waiting(turn, () -> flock(fd, type, 0));
  }

  private static void flock(int fd, int type, int flags) throws ErrnoException {
    Scratch s = Scratch.get();
    int operation =
        switch (type) {
          case Linux.F_RDLCK -> LOCK_SH;
          case Linux.F_WRLCK -> LOCK_EX;
          case Linux.F_UNLCK -> LOCK_UN;
          default -> throw ErrnoException.of(Errno.EINVAL);
        };
    try {
      LinuxHost.check(s, (int) Libc.FLOCK.invokeExact(s.callState, fd, operation | flags));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
  }

  /** struct flock of 64-bit Linux: type 2, whence 2, start 8 (at 8), length 8, pid 4. */
  private static MemorySegment fcntlLock(int fd, int command, int type, long start, long end)
      throws ErrnoException {
    Scratch s = Scratch.get();
    MemorySegment lock = s.struct;
    lock.asSlice(0, 32).fill((byte) 0);
    lock.set(JAVA_SHORT, 0, (short) type);
    lock.set(JAVA_LONG, 8, start);
    lock.set(JAVA_LONG, 16, end == Long.MAX_VALUE ? 0 : end - start + 1);
    try {
      LinuxHost.check(s, (int) Libc.FCNTL_LOCK.invokeExact(s.callState, fd, command, lock));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
    return lock;
  }

  /** A system call that may wait. */
  interface Waiting {
    void call() throws ErrnoException;
  }

  /** Makes {@code call} until it succeeds or fails; EINTR when {@code turn} was cancelled. */
  static void waiting(BlockingCall turn, Waiting call) throws ErrnoException {
    try {
      while (turn.enter(LinuxSignals.currentThread())) {
        try {
          call.call();
          return;
        } catch (ErrnoException e) {
          if (e.errno() != Errno.EINTR) {
            throw e;
          }
        }
      }
      throw ErrnoException.of(Errno.EINTR);
    } finally {
      turn.leave();
    }
  }
}
