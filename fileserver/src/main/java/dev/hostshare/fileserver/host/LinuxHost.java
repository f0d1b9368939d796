package dev.hostshare.fileserver.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * {@link HostFs} by Linux system calls. Opens go through openat2(2) with RESOLVE_BENEATH,
 * RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS (Linux 5.6).
 */
public final class LinuxHost implements HostFs {
  static final int AT_FDCWD = -100;
  private static final int SYNC_FILE_RANGE_WRITE = 2;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_REMOVEDIR = 0x200;
  private static final int AT_SYMLINK_FOLLOW = 0x400;
  static final int AT_EMPTY_PATH = 0x1000;

  // include/uapi/linux/openat2.h
  private static final long RESOLVE_NO_MAGICLINKS = 0x02;
  private static final long RESOLVE_NO_SYMLINKS = 0x04;
  private static final long RESOLVE_BENEATH = 0x08;
  private static final long OPEN_HOW_BYTES = 24;

  // include/uapi/linux/stat.h: basic fields and birth time.
  private static final int STATX_WANTED = 0x7ff | 0x800;
  private static final int STATX_BTIME = 0x800;

  // These differ on arm64 (arch/arm64/include/uapi/asm/fcntl.h); the wire has x86-64's.
  private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
  private static final int O_DIRECTORY = ARM ? 040000 : Linux.O_DIRECTORY;
  private static final int O_NOFOLLOW = ARM ? 0100000 : Linux.O_NOFOLLOW;
  private static final int TRANSLATED = Linux.O_DIRECTORY | Linux.O_NOFOLLOW | Linux.O_DIRECT;

  /**
   * The umask of this process applies to what it creates; the modes that we ask for are final.
   *
   * <p>Process-wide: called once, before the first request.
   */
  public static void clearUmask() {
    try {
      int ignored = (int) Libc.UMASK.invokeExact(Scratch.get().callState, 0);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** The user this process runs as. */
  public static int userId() {
    try {
      return (int) Libc.GETUID.invokeExact(Scratch.get().callState);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public int openRoot(Path path) throws ErrnoException {
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    int flags = Linux.O_PATH | O_DIRECTORY | Linux.O_CLOEXEC;
    return openResolving(AT_FDCWD, bytes, flags, 0, RESOLVE_NO_SYMLINKS);
  }

  @Override
  public int openNamed(Path path) throws ErrnoException {
    Scratch s = Scratch.get();
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    try {
      int flags = Linux.O_PATH | O_DIRECTORY | Linux.O_CLOEXEC;
      return (int)
          check(s, (int) Libc.OPENAT.invokeExact(s.callState, AT_FDCWD, s.name(bytes), flags, 0));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public int openLocation(int dir, byte[] name) throws ErrnoException {
    return openBeneath(dir, name, Linux.O_PATH | O_NOFOLLOW | Linux.O_CLOEXEC, 0);
  }

  @Override
  public int open(int dir, byte[] name, int flags, int mode) throws ErrnoException {
    // O_NONBLOCK: a FIFO or device that was put in the file's place must not hold the server up.
    int safe = O_NOFOLLOW | Linux.O_NONBLOCK | Linux.O_NOCTTY | Linux.O_CLOEXEC;
    return openBeneath(dir, name.length == 0 ? DOT : name, translate(flags) | safe, mode);
  }

  private static final byte[] DOT = {'.'};

  private static int openBeneath(int dir, byte[] name, int flags, int mode) throws ErrnoException {
    return openResolving(
        dir, name, flags, mode, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
  }

  private static int openResolving(int dir, byte[] name, int flags, int mode, long resolve)
      throws ErrnoException {
    Scratch s = Scratch.get();
    MemorySegment how = s.struct;
    how.set(JAVA_LONG, 0, Integer.toUnsignedLong(flags));
    how.set(JAVA_LONG, 8, mode);
    how.set(JAVA_LONG, 16, resolve);
    MemorySegment path = s.name(name);
    try {
      while (true) {
        long fd =
            (long)
                Libc.SYSCALL_OPENAT2.invokeExact(
                    s.callState, Libc.NR_OPENAT2, dir, path, how, OPEN_HOW_BYTES);
        if (fd >= 0) {
          return (int) fd;
        }
        int errno = Libc.errno(s.callState);
        // EAGAIN: a rename somewhere raced with the walk (openat2(2)); EINTR: a signal.
        if (errno != Errno.EAGAIN && errno != Errno.EINTR) {
          throw ErrnoException.of(errno);
        }
      }
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public int reopen(int fd, int flags) throws ErrnoException {
    Scratch s = Scratch.get();
    byte[] path = ("/proc/self/fd/" + fd).getBytes(StandardCharsets.US_ASCII);
    int all = translate(flags) | Linux.O_NONBLOCK | Linux.O_NOCTTY | Linux.O_CLOEXEC;
    try {
      return (int)
          check(s, (int) Libc.OPENAT.invokeExact(s.callState, AT_FDCWD, s.name(path), all, 0));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  /**
   * From the wire's numbers to this machine's; O_DIRECT is the guest's business, our buffers are
   * not aligned.
   */
  private static int translate(int flags) {
    int result = flags & ~TRANSLATED;
    if ((flags & Linux.O_DIRECTORY) != 0) {
      result |= O_DIRECTORY;
    }
    return (flags & Linux.O_NOFOLLOW) != 0 ? result | O_NOFOLLOW : result;
  }

  @Override
  public void close(int fd) {
    closeDescriptor(fd);
  }

  static void closeDescriptor(int fd) {
    try {
      // Linux frees the descriptor whatever close(2) returns; late write errors are told by fsync.
      int ignored = (int) Libc.CLOSE.invokeExact(Scratch.get().callState, fd);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public HostStat stat(int dir, byte[] name) throws ErrnoException {
    Scratch s = Scratch.get();
    MemorySegment x = s.struct;
    int flags = name.length == 0 ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
    try {
      check(
          s, (int) Libc.STATX.invokeExact(s.callState, dir, s.name(name), flags, STATX_WANTED, x));
    } catch (Throwable e) {
      throw rethrow(e);
    }
    boolean hasBirth = (x.get(JAVA_INT, 0) & STATX_BTIME) != 0;
    return new HostStat(
        Linux.makedev(
            Integer.toUnsignedLong(x.get(JAVA_INT, 136)),
            Integer.toUnsignedLong(x.get(JAVA_INT, 140))),
        x.get(JAVA_LONG, 32),
        Short.toUnsignedInt(x.get(JAVA_SHORT, 28)),
        x.get(JAVA_INT, 16),
        x.get(JAVA_INT, 20),
        x.get(JAVA_INT, 24),
        Linux.makedev(
            Integer.toUnsignedLong(x.get(JAVA_INT, 128)),
            Integer.toUnsignedLong(x.get(JAVA_INT, 132))),
        x.get(JAVA_LONG, 40),
        x.get(JAVA_LONG, 48),
        x.get(JAVA_INT, 4),
        time(x, 64),
        time(x, 112),
        time(x, 96),
        hasBirth ? time(x, 80) : HostStat.Time.NONE);
  }

  private static HostStat.Time time(MemorySegment statx, long at) {
    return new HostStat.Time(statx.get(JAVA_LONG, at), statx.get(JAVA_INT, at + 8));
  }

  @Override
  public byte[] readlink(int dir, byte[] name) throws ErrnoException {
    Scratch s = Scratch.get();
    MemorySegment buffer = s.nameBuffer();
    try {
      long n =
          check(
              s,
              (long)
                  Libc.READLINKAT.invokeExact(
                      s.callState, dir, s.name(name), buffer, (long) Scratch.NAME_BYTES));
      return buffer.asSlice(0, n).toArray(JAVA_BYTE);
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void symlink(byte[] target, int dir, byte[] name) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(
          s,
          (int) Libc.SYMLINKAT.invokeExact(s.callState, s.secondName(target), dir, s.name(name)));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void mkdir(int dir, byte[] name, int mode) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(s, (int) Libc.MKDIRAT.invokeExact(s.callState, dir, s.name(name), mode));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void unlink(int dir, byte[] name) throws ErrnoException {
    unlinkat(dir, name, 0);
  }

  @Override
  public void rmdir(int dir, byte[] name) throws ErrnoException {
    unlinkat(dir, name, AT_REMOVEDIR);
  }

  private static void unlinkat(int dir, byte[] name, int flags) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(s, (int) Libc.UNLINKAT.invokeExact(s.callState, dir, s.name(name), flags));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void rename(int dir, byte[] name, int newDir, byte[] newName, int flags)
      throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(
          s,
          (int)
              Libc.RENAMEAT2.invokeExact(
                  s.callState, dir, s.name(name), newDir, s.secondName(newName), flags));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void link(int dir, byte[] name, int newDir, byte[] newName) throws ErrnoException {
    linkat(dir, name, newDir, newName, 0);
  }

  @Override
  public void linkDescriptor(int fd, int newDir, byte[] newName) throws ErrnoException {
    // AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH; /proc/self/fd is open(2)'s own recipe.
    byte[] path = ("/proc/self/fd/" + fd).getBytes(StandardCharsets.US_ASCII);
    linkat(AT_FDCWD, path, newDir, newName, AT_SYMLINK_FOLLOW);
  }

  private static void linkat(int dir, byte[] name, int newDir, byte[] newName, int flags)
      throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(
          s,
          (int)
              Libc.LINKAT.invokeExact(
                  s.callState, dir, s.name(name), newDir, s.secondName(newName), flags));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void setTimes(int dir, byte[] name, HostStat.Time atime, HostStat.Time mtime)
      throws ErrnoException {
    Scratch s = Scratch.get();
    MemorySegment times = s.struct;
    times.set(JAVA_LONG, 0, atime.sec());
    times.set(JAVA_LONG, 8, atime.nsec());
    times.set(JAVA_LONG, 16, mtime.sec());
    times.set(JAVA_LONG, 24, mtime.nsec());
    // utimensat knows AT_EMPTY_PATH since Linux 5.8.
    int flags = name.length == 0 ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
    try {
      check(s, (int) Libc.UTIMENSAT.invokeExact(s.callState, dir, s.name(name), times, flags));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void truncate(int fd, long size) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(s, (int) Libc.FTRUNCATE.invokeExact(s.callState, fd, size));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public int read(int fd, MemorySegment buffer, long offset) throws ErrnoException {
    Scratch s = Scratch.get();
    long size = buffer.byteSize();
    long done = 0;
    try {
      while (done < size) {
        long n =
            check(
                s,
                (long)
                    Libc.PREAD.invokeExact(
                        s.callState, fd, buffer.asSlice(done), size - done, offset + done));
        if (n == 0) {
          break;
        }
        done += n;
      }
      return (int) done;
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public int write(int fd, MemorySegment buffer, long offset) throws ErrnoException {
    Scratch s = Scratch.get();
    long size = buffer.byteSize();
    long done = 0;
    try {
      while (done < size) {
        long n =
            (long)
                Libc.PWRITE.invokeExact(
                    s.callState, fd, buffer.asSlice(done), size - done, offset + done);
        if (n < 0) {
          int errno = Libc.errno(s.callState);
          if (errno == Errno.EINTR) {
            continue;
          }
          if (done > 0) {
            break;
          }
          throw ErrnoException.of(errno);
        }
        done += n;
      }
      return (int) done;
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void fallocate(int fd, int mode, long offset, long length) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(s, (int) Libc.FALLOCATE.invokeExact(s.callState, fd, mode, offset, length));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public long seek(int fd, long offset, int whence) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      return check(s, (long) Libc.LSEEK.invokeExact(s.callState, fd, offset, whence));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void readAhead(int fd, long length) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(s, (long) Libc.READAHEAD.invokeExact(s.callState, fd, 0L, length));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public long copyFileRange(int in, long inOffset, int out, long outOffset, long length)
      throws ErrnoException {
    Scratch s = Scratch.get();
    s.struct.set(JAVA_LONG, 0, inOffset);
    s.struct2.set(JAVA_LONG, 0, outOffset);
    try {
      return check(
          s,
          (long)
              Libc.COPY_FILE_RANGE.invokeExact(
                  s.callState, in, s.struct, out, s.struct2, length, 0));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void fsync(int fd, boolean dataOnly) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      if (dataOnly) {
        check(s, (int) Libc.FDATASYNC.invokeExact(s.callState, fd));
      } else {
        check(s, (int) Libc.FSYNC.invokeExact(s.callState, fd));
      }
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void beginWriteBack(int fd, long offset, long length) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(
          s,
          (int)
              Libc.SYNC_FILE_RANGE.invokeExact(
                  s.callState, fd, offset, length, SYNC_FILE_RANGE_WRITE));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public void syncfs(int fd) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(s, (int) Libc.SYNCFS.invokeExact(s.callState, fd));
    } catch (Throwable e) {
      throw rethrow(e);
    }
  }

  @Override
  public StatVfs statfs(int fd) throws ErrnoException {
    MemorySegment f = fstatfs(fd);
    return new StatVfs(
        f.get(JAVA_LONG, 16),
        f.get(JAVA_LONG, 24),
        f.get(JAVA_LONG, 32),
        f.get(JAVA_LONG, 40),
        f.get(JAVA_LONG, 48),
        (int) f.get(JAVA_LONG, 8),
        (int) f.get(JAVA_LONG, 72),
        (int) f.get(JAVA_LONG, 64));
  }

  @Override
  public String volumeKey(int fd) throws ErrnoException {
    MemorySegment f = fstatfs(fd);
    long type = f.get(JAVA_LONG, 0);
    long fsid = f.get(JAVA_LONG, 56);
    if (fsid != 0) {
      return Long.toHexString(type) + ":" + Long.toHexString(fsid);
    }
    return Long.toHexString(type) + ":dev:" + Long.toHexString(stat(fd, SELF).dev());
  }

  /** The caller reads it before this thread's next call. */
  private static MemorySegment fstatfs(int fd) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      check(s, (int) Libc.FSTATFS.invokeExact(s.callState, fd, s.struct));
    } catch (Throwable e) {
      throw rethrow(e);
    }
    return s.struct;
  }

  /** f_fsid, both words: 8 bytes at 56 in struct statfs of 64-bit Linux. */
  static long fsid(int fd) throws ErrnoException {
    return fstatfs(fd).get(JAVA_LONG, 56);
  }

  @Override
  public boolean readDirectory(int fd, Consumer<DirEntry> sink) throws ErrnoException {
    Scratch s = Scratch.get();
    MemorySegment buffer = s.dents();
    long n;
    try {
      n =
          check(
              s,
              (long)
                  Libc.GETDENTS64.invokeExact(s.callState, fd, buffer, (long) Scratch.DENTS_BYTES));
    } catch (Throwable e) {
      throw rethrow(e);
    }
    // struct linux_dirent64: d_ino 8, d_off 8, d_reclen 2, d_type 1, d_name (getdents(2)).
    for (long at = 0; at < n; ) {
      int length = Short.toUnsignedInt(buffer.get(JAVA_SHORT, at + 16));
      long end = at + 19;
      while (buffer.get(JAVA_BYTE, end) != 0) {
        end++;
      }
      byte[] name = buffer.asSlice(at + 19, end - at - 19).toArray(JAVA_BYTE);
      if (!Arrays.equals(name, DOT) && !Arrays.equals(name, DOT_DOT)) {
        // DT_* is the type's S_IFMT bits shifted by 12 (glibc's DTTOIF).
        int type = (buffer.get(JAVA_BYTE, at + 18) & 0xf) << 12;
        sink.accept(
            new DirEntry(name, buffer.get(JAVA_LONG, at), type, buffer.get(JAVA_LONG, at + 8)));
      }
      at += length;
    }
    return n > 0;
  }

  private static final byte[] DOT_DOT = {'.', '.'};

  @Override
  public boolean tryLock(int fd, int type, long start, long end) throws ErrnoException {
    return LinuxLocks.tryLock(fd, type, start, end);
  }

  @Override
  public HeldLock testLock(int fd, int type, long start, long end) throws ErrnoException {
    return LinuxLocks.testLock(fd, type, start, end);
  }

  @Override
  public void lock(int fd, int type, long start, long end, BlockingCall turn)
      throws ErrnoException {
    LinuxLocks.lock(fd, type, start, end, turn);
  }

  @Override
  public boolean tryFlock(int fd, int type) throws ErrnoException {
    return LinuxLocks.tryFlock(fd, type);
  }

  @Override
  public void flock(int fd, int type, BlockingCall turn) throws ErrnoException {
    LinuxLocks.flock(fd, type, turn);
  }

  static long check(Scratch s, long result) throws ErrnoException {
    if (result < 0) {
      throw ErrnoException.of(Libc.errno(s.callState));
    }
    return result;
  }

  static ErrnoException rethrow(Throwable e) {
    return switch (e) {
      case ErrnoException errno -> errno;
      case RuntimeException runtime -> throw runtime;
      case Error error -> throw error;
      default -> throw new AssertionError("a downcall cannot throw this", e);
    };
  }
}
