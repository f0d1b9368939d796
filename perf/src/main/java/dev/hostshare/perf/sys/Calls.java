package dev.hostshare.perf.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import com.google.common.base.Throwables;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * System calls, one method each. Numbers are Linux's, those that are the same on x86-64 and arm64.
 *
 * <p>For any thread. When a thread is interrupted, its next call throws {@link
 * InterruptedIOException}. A call that fails throws a {@link SystemCallException}.
 */
public final class Calls {
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 01;
  public static final int O_CREAT = 0100;
  public static final int O_RDWR = 02;
  public static final int O_EXCL = 0200;
  public static final int O_APPEND = 02000;

  /** Instead of a size: see {@link #sizeOrFolder}. */
  public static final long FOLDER = -1;

  private static final int TYPE = 0170000;
  private static final int FOLDER_TYPE = 0040000;

  private static final int O_CLOEXEC = 02000000;
  private static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;

  // include/uapi/linux/stat.h
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int STATX_BYTES = 256;
  private static final int STATX_MODE = 28;
  private static final int STATX_SIZE = 40;

  // struct flock and struct statvfs of 64-bit Linux
  private static final int FLOCK_BYTES = 32;
  private static final int F_SETLK = 6;
  private static final short F_WRLCK = 1;
  private static final short F_UNLCK = 2;
  private static final int STATVFS_BYTES = 256;

  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int MAP_SHARED = 1;
  private static final int MAP_PRIVATE = 2;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_POPULATE = 0x8000;
  private static final int MS_SYNC = 4;
  private static final int SIGKILL = 9;

  /** O_DIRECT's number is the architecture's. */
  public static final int O_DIRECT =
      System.getProperty("os.arch").equals("aarch64") ? 0200000 : 040000;

  /** What calls leave their errno and their answers in, for one thread. */
  private record Answers(MemorySegment state, MemorySegment statx, MemorySegment flock) {
    static Answers make() {
      var arena = Arena.ofAuto();
      return new Answers(
          arena.allocate(Libc.CALL_STATE),
          arena.allocate(STATX_BYTES, 8),
          arena.allocate(FLOCK_BYTES, 8));
    }
  }

  private static final ThreadLocal<Answers> ANSWERS = ThreadLocal.withInitial(Answers::make);

  private Calls() {}

  public static int open(MemorySegment path, int flags, int mode) throws IOException {
    try {
      int fd = (int) Libc.OPEN.invokeExact(state(), path, flags | O_CLOEXEC, mode);
      return (int) check(fd, "open", path);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void close(int fd) throws IOException {
    try {
      check((int) Libc.CLOSE.invokeExact(state(), fd), "close", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Reads once; answers the bytes read, 0 at the end of the file. */
  public static long read(int fd, MemorySegment into) throws IOException {
    try {
      return check((long) Libc.READ.invokeExact(state(), fd, into, into.byteSize()), "read", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Writes all of it by one call, or throws. */
  public static void write(int fd, MemorySegment from) throws IOException {
    try {
      long length = from.byteSize();
      long done = (long) Libc.WRITE.invokeExact(state(), fd, from, length);
      whole(check(done, "write", fd), length, "write", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Reads exactly as much as fits by one call, or throws. */
  public static void pread(int fd, MemorySegment into, long position) throws IOException {
    try {
      long length = into.byteSize();
      long done = (long) Libc.PREAD.invokeExact(state(), fd, into, length, position);
      whole(check(done, "pread", fd), length, "pread", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Writes all of it by one call, or throws. */
  public static void pwrite(int fd, MemorySegment from, long position) throws IOException {
    try {
      long length = from.byteSize();
      long done = (long) Libc.PWRITE.invokeExact(state(), fd, from, length, position);
      whole(check(done, "pwrite", fd), length, "pwrite", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** lstat(2), by statx(2) with the fields of it; answers the size in bytes. */
  public static long size(MemorySegment path) throws IOException {
    return statx(path).get(JAVA_LONG, STATX_SIZE);
  }

  /** Whether a name is there, as {@link #size} sees it: ENOENT is an answer, not a failure. */
  public static boolean exists(MemorySegment path) throws IOException {
    int done = tryStatx(path);
    if (done < 0 && Libc.errno(ANSWERS.get().state) == Errno.ENOENT) {
      return false;
    }
    check(done, "statx", path);
    return true;
  }

  /** As {@link #size}, but answers {@link #FOLDER} for a folder. */
  public static long sizeOrFolder(MemorySegment path) throws IOException {
    MemorySegment answer = statx(path);
    boolean isFolder = (answer.get(JAVA_SHORT, STATX_MODE) & TYPE) == FOLDER_TYPE;
    return isFolder ? FOLDER : answer.get(JAVA_LONG, STATX_SIZE);
  }

  /** As {@link #size}, but answers the mode: type and permissions. */
  public static int mode(MemorySegment path) throws IOException {
    return Short.toUnsignedInt(statx(path).get(JAVA_SHORT, STATX_MODE));
  }

  private static MemorySegment statx(MemorySegment path) throws IOException {
    check(tryStatx(path), "statx", path);
    return ANSWERS.get().statx;
  }

  /** Negative if it failed; errno is in the thread's answers. */
  private static int tryStatx(MemorySegment path) throws IOException {
    Answers answers = ANSWERS.get();
    try {
      return (int)
          Libc.STATX.invokeExact(
              answers.state, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, answers.statx);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void chmod(MemorySegment path, int mode) throws IOException {
    try {
      check((int) Libc.FCHMODAT.invokeExact(state(), AT_FDCWD, path, mode, 0), "chmod", path);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void rename(MemorySegment from, MemorySegment to) throws IOException {
    try {
      check((int) Libc.RENAMEAT.invokeExact(state(), AT_FDCWD, from, AT_FDCWD, to), "rename", from);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void unlink(MemorySegment path) throws IOException {
    try {
      check((int) Libc.UNLINKAT.invokeExact(state(), AT_FDCWD, path, 0), "unlink", path);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** getdents64(2): entries of a folder; answers how many bytes of them, 0 after the last. */
  public static long entries(int fd, MemorySegment into) throws IOException {
    try {
      long done = (long) Libc.GETDENTS64.invokeExact(state(), fd, into, into.byteSize());
      return check(done, "getdents64", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  public static void fsync(int fd) throws IOException {
    try {
      check((int) Libc.FSYNC.invokeExact(state(), fd), "fsync", fd);
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

  /** mkdir(2). */
  public static void mkdir(MemorySegment path, int mode) throws IOException {
    try {
      check((int) Libc.MKDIR.invokeExact(state(), path, mode), "mkdir", path);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** ftruncate(2). */
  public static void truncate(int fd, long length) throws IOException {
    try {
      check((int) Libc.FTRUNCATE.invokeExact(state(), fd, length), "ftruncate", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** A POSIX write lock on the whole file, at once or not at all: fcntl(2) F_SETLK. */
  public static void lock(int fd) throws IOException {
    try {
      check(setLock(fd, F_WRLCK), "fcntl F_SETLK", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Gives the lock of {@link #lock} back. */
  public static void unlock(int fd) throws IOException {
    try {
      check(setLock(fd, F_UNLCK), "fcntl F_SETLK", fd);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  private static int setLock(int fd, short type) throws Throwable {
    Answers answers = ANSWERS.get();
    // From 0 to the end: the other fields are 0.
    answers.flock.fill((byte) 0);
    answers.flock.set(JAVA_SHORT, 0, type);
    return (int) Libc.FCNTL.invokeExact(answers.state, fd, F_SETLK, answers.flock);
  }

  /**
   * A shared mapping of a file's first bytes. A page that cannot be read throws an {@link
   * InternalError} where it is touched.
   */
  public static MemorySegment map(int fd, long length, boolean isWritten) throws IOException {
    try {
      int protection = isWritten ? PROT_READ | PROT_WRITE : PROT_READ;
      long address =
          (long) Libc.MMAP.invokeExact(state(), 0L, length, protection, MAP_SHARED, fd, 0L);
      return Libc.mapping(check(address, "mmap", fd), length);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** Memory of no file, all of it touched by the kernel (MAP_POPULATE). */
  public static MemorySegment mapMemory(long length) throws IOException {
    try {
      int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
      long address =
          (long) Libc.MMAP.invokeExact(state(), 0L, length, PROT_READ | PROT_WRITE, flags, -1, 0L);
      return Libc.mapping(check(address, "mmap", null), length);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** munmap(2); the segment must not be touched any more. */
  public static void unmap(MemorySegment mapping) throws IOException {
    try {
      check(
          (int) Libc.MUNMAP.invokeExact(state(), mapping.address(), mapping.byteSize()),
          "munmap",
          null);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** msync(2), waiting for the disk. */
  public static void syncMapping(MemorySegment mapping) throws IOException {
    try {
      int done =
          (int) Libc.MSYNC.invokeExact(state(), mapping.address(), mapping.byteSize(), MS_SYNC);
      check(done, "msync", null);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** statvfs(3). */
  public static Space space(MemorySegment path) throws IOException {
    try {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment answer = arena.allocate(STATVFS_BYTES, 8);
        check((int) Libc.STATVFS.invokeExact(state(), path, answer), "statvfs", path);
        long unit = answer.get(JAVA_LONG, 8);
        return new Space(
            answer.get(JAVA_LONG, 16) * unit,
            answer.get(JAVA_LONG, 32) * unit,
            answer.get(JAVA_LONG, 56),
            answer.get(JAVA_LONG, 40));
      }
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /** getppid(2): a call with no work, for measuring what a call costs. */
  public static int nothing() {
    try {
      return (int) Libc.GETPPID.invokeExact(state());
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** kill(2) with SIGKILL for a process group, if there is one with this leader. */
  static void killGroup(int leader) {
    try {
      int done = (int) Libc.KILL.invokeExact(state(), -leader, SIGKILL);
      if (done < 0 && Libc.errno(state()) != Errno.ESRCH) {
        throw new IllegalStateException("kill: " + Errno.name(Libc.errno(state())));
      }
    } catch (Throwable e) {
      Throwables.throwIfUnchecked(e);
      throw new AssertionError(e);
    }
  }

  /** Whether a descriptor is a terminal. */
  public static boolean isTerminal(int fd) {
    try {
      return (int) Libc.ISATTY.invokeExact(state(), fd) == 1;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static MemorySegment state() {
    return ANSWERS.get().state;
  }

  private static long check(long result, String call, MemorySegment path) throws IOException {
    if (result < 0) {
      throw new SystemCallException(
          call, Libc.errno(state()), path == null ? null : path.getString(0));
    }
    checkInterrupt();
    return result;
  }

  private static long check(long result, String call, int fd) throws IOException {
    if (result < 0) {
      int errno = Libc.errno(state());
      throw new SystemCallException(call, errno, path(fd));
    }
    checkInterrupt();
    return result;
  }

  private static void checkInterrupt() throws InterruptedIOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted");
    }
  }

  /** The name under which a file was opened: proc(5) knows it without asking its file system. */
  private static String path(int fd) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
    } catch (IOException e) {
      return null;
    }
  }

  private static void whole(long done, long wanted, String call, int fd) throws IOException {
    if (done != wanted) {
      throw new IOException(
          "%s %s: %d bytes of %d by one call".formatted(call, path(fd), done, wanted));
    }
  }

  private static IOException rethrow(Throwable e) throws IOException {
    if (e instanceof IOException failure) {
      throw failure;
    }
    Throwables.throwIfUnchecked(e);
    throw new AssertionError(e);
  }
}
