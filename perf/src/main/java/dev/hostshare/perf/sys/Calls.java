package dev.hostshare.perf.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * System calls, one method each. Numbers are Linux's, those that are the same on x86-64 and arm64.
 *
 * <p>For one thread in the whole process: they share the memory that errno and attributes come in.
 * When this thread is interrupted, the next call throws {@link InterruptedIOException}.
 */
public final class Calls {
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 01;
  public static final int O_CREAT = 0100;
  public static final int O_EXCL = 0200;

  private static final int O_CLOEXEC = 02000000;
  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;

  // include/uapi/linux/stat.h
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int STATX_BYTES = 256;
  private static final int STATX_MODE = 28;
  private static final int STATX_SIZE = 40;

  private static final MemorySegment STATE = Arena.global().allocate(Libc.CALL_STATE);
  private static final MemorySegment STATX = Arena.global().allocate(STATX_BYTES, 8);

  private Calls() {}

  public static int open(MemorySegment path, int flags, int mode) throws IOException {
    try {
      int fd = (int) Libc.OPEN.invokeExact(STATE, path, flags | O_CLOEXEC, mode);
      return (int) check(fd, "open", path);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void close(int fd) throws IOException {
    try {
      check((int) Libc.CLOSE.invokeExact(STATE, fd), "close", null);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Reads once; answers the bytes read, 0 at the end of the file. */
  public static long read(int fd, MemorySegment into) throws IOException {
    try {
      return check((long) Libc.READ.invokeExact(STATE, fd, into, into.byteSize()), "read", null);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Writes all of it by one call, or throws. */
  public static void write(int fd, MemorySegment from) throws IOException {
    try {
      long length = from.byteSize();
      whole(check((long) Libc.WRITE.invokeExact(STATE, fd, from, length), "write", null), length);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Reads exactly as much as fits by one call, or throws. */
  public static void pread(int fd, MemorySegment into, long position) throws IOException {
    try {
      long length = into.byteSize();
      long done = (long) Libc.PREAD.invokeExact(STATE, fd, into, length, position);
      whole(check(done, "pread", null), length);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Writes all of it by one call, or throws. */
  public static void pwrite(int fd, MemorySegment from, long position) throws IOException {
    try {
      long length = from.byteSize();
      long done = (long) Libc.PWRITE.invokeExact(STATE, fd, from, length, position);
      whole(check(done, "pwrite", null), length);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** lstat(2), by statx(2) with the fields of it; answers the size in bytes. */
  public static long size(MemorySegment path) throws IOException {
    statx(path);
    return STATX.get(JAVA_LONG, STATX_SIZE);
  }

  /** As {@link #size}, but answers the mode: type and permissions. */
  public static int mode(MemorySegment path) throws IOException {
    statx(path);
    return Short.toUnsignedInt(STATX.get(JAVA_SHORT, STATX_MODE));
  }

  private static void statx(MemorySegment path) throws IOException {
    try {
      int done =
          (int)
              Libc.STATX.invokeExact(
                  STATE, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, STATX);
      check(done, "statx", path);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void chmod(MemorySegment path, int mode) throws IOException {
    try {
      check((int) Libc.FCHMODAT.invokeExact(STATE, AT_FDCWD, path, mode, 0), "chmod", path);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void rename(MemorySegment from, MemorySegment to) throws IOException {
    try {
      check((int) Libc.RENAMEAT.invokeExact(STATE, AT_FDCWD, from, AT_FDCWD, to), "rename", from);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void unlink(MemorySegment path) throws IOException {
    try {
      check((int) Libc.UNLINKAT.invokeExact(STATE, AT_FDCWD, path, 0), "unlink", path);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** getdents64(2): entries of a folder; answers how many bytes of them, 0 after the last. */
  public static long entries(int fd, MemorySegment into) throws IOException {
    try {
      long done = (long) Libc.GETDENTS64.invokeExact(STATE, fd, into, into.byteSize());
      return check(done, "getdents64", null);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void fsync(int fd) throws IOException {
    try {
      check((int) Libc.FSYNC.invokeExact(STATE, fd), "fsync", null);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Writes back everything that waits for it on this machine. */
  public static void sync() {
    try {
      Libc.SYNC.invokeExact();
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static long check(long result, String call, MemorySegment path) throws IOException {
    if (result < 0) {
      throw new IOException(
          call + (path == null ? "" : " " + path.getString(0)) + ": " + message(Libc.errno(STATE)));
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted");
    }
    return result;
  }

  private static void whole(long done, long wanted) throws IOException {
    if (done != wanted) {
      throw new IOException(done + " bytes of " + wanted + " by one call");
    }
  }

  @SuppressWarnings("restricted") // strerror's answer has no size
  private static String message(int errno) {
    try {
      return ((MemorySegment) Libc.STRERROR.invokeExact(errno)).reinterpret(256).getString(0);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static IOException rethrow(Throwable e) throws IOException {
    if (e instanceof IOException failure) {
      throw failure;
    }
    throw new AssertionError(e);
  }
}
