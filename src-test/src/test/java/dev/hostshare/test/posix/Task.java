package dev.hostshare.test.posix;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.TimeUnit.SECONDS;

import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * What Linux calls a task: a thread with credentials, a umask, a working directory and a file table
 * of its own. To the kernel's file systems two of them are two processes; POSIX locks of one
 * exclude the other.
 *
 * <p>Any thread may call the methods; the system calls are made one after the other on the task's
 * thread. Nothing else runs there, so that no class is ever loaded with a stranger's credentials.
 * Paths are byte strings (see the package).
 */
public final class Task implements AutoCloseable {
  static final int AT_FDCWD = -100;
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_REMOVEDIR = 0x200;
  private static final int AT_SYMLINK_FOLLOW = 0x400;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int CLONE_FS = 0x200;
  private static final int CLONE_FILES = 0x400;
  private static final int CLONE_NEWNS = 0x20000;

  /** More than any call of a test should take; a longer one has hung. */
  private static final int CALL_SECONDS = 120;

  private final LinkedBlockingQueue<Runnable> calls = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final Identity identity;
  private volatile int tid;
  private volatile boolean closed;

  private Task(Identity identity) {
    this.identity = identity;
    this.thread = Thread.ofPlatform().name("task of " + identity).daemon().unstarted(this::serve);
  }

  /** Starts a task of this identity in the caller's mount namespace. */
  public static Task start(Identity identity) {
    return start(identity, Optional.empty());
  }

  /**
   * Starts a task of this identity, with an empty umask, at the root of the mount namespace.
   *
   * @param namespace the namespace's file, such as {@code /proc/PID/ns/mnt}; empty for the caller's
   */
  public static Task start(Identity identity, Optional<Path> namespace) {
    var task = new Task(identity);
    task.thread.start();
    task.call(Sys.UNSHARE, CLONE_FS | CLONE_FILES);
    task.tid = (int) task.call(Sys.GETTID);
    namespace.ifPresent(task::enter);
    task.call(Sys.CHDIR, "/");
    task.umask(0);
    if (identity.uid() != 0) {
      task.become(identity);
    }
    return task;
  }

  private void enter(Path namespace) {
    long fd = call(Sys.OPENAT, AT_FDCWD, namespace.toString(), Linux.O_RDONLY, 0);
    call(Sys.SETNS, fd, CLONE_NEWNS);
    call(Sys.CLOSE, fd);
  }

  private void become(Identity identity) {
    var groups = Arena.ofAuto().allocate(ValueLayout.JAVA_INT, identity.groups().size() + 1L);
    for (int i = 0; i < identity.groups().size(); i++) {
      groups.setAtIndex(ValueLayout.JAVA_INT, i, identity.groups().get(i));
    }
    call(Sys.SETGROUPS, identity.groups().size(), groups);
    call(Sys.SETRESGID, identity.gid(), identity.gid(), identity.gid());
    call(Sys.SETRESUID, identity.uid(), identity.uid(), identity.uid());
  }

  private void serve() {
    try {
      while (!closed) {
        calls.take().run();
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts a task", e);
    }
  }

  public Identity identity() {
    return identity;
  }

  /** Makes a system call and waits for its end. See {@link Kernel#call} for the arguments. */
  long call(Sys call, Object... arguments) {
    try {
      return begin(call, arguments).get(CALL_SECONDS, SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ErrnoException errno) {
        errno.addSuppressed(new Throwable("called from here"));
        throw errno;
      }
      throw new AssertionError(e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError(
          call + " has not returned after " + CALL_SECONDS + " s, " + identity, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Makes a system call that may block; later calls wait for its end. */
  CompletableFuture<Long> begin(Sys call, Object... arguments) {
    if (closed) {
      throw new IllegalStateException("closed");
    }
    var result = new CompletableFuture<Long>();
    calls.add(
        () -> {
          try {
            result.complete(Kernel.call(call, arguments));
          } catch (Throwable e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  /** Returns when the task waits in the kernel, in this call. */
  public void awaitBlockedIn(Sys call) {
    var syscall = Path.of("/proc/self/task/" + tid + "/syscall");
    var stat = Path.of("/proc/self/task/" + tid + "/stat");
    long deadline = System.nanoTime() + SECONDS.toNanos(CALL_SECONDS);
    // procfs has no event for this.
    while (!isSleeping(stat) || !read(syscall).startsWith(call.number + " ")) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not blocked in " + call + ": " + read(syscall) + read(stat));
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static boolean isSleeping(Path stat) {
    String line = read(stat);
    char state = line.charAt(line.lastIndexOf(')') + 2);
    return state == 'S' || state == 'D';
  }

  private static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends the task, if it is still there, a signal whose handler restarts no call. */
  public void interrupt() {
    try {
      Kernel.call(Sys.TGKILL, (int) ProcessHandle.current().pid(), tid, Kernel.SIG_INTERRUPT);
    } catch (ErrnoException e) {
      if (e.errno() != Errno.ESRCH) {
        throw e;
      }
    }
  }

  /** Ends the task; the kernel closes its files and gives its locks back. */
  @Override
  public void close() {
    if (!closed) {
      calls.add(() -> closed = true);
      // Java's thread ends before the kernel's has closed its files.
      long start = System.nanoTime();
      while (Files.exists(Path.of("/proc/self/task/" + tid))) {
        if (System.nanoTime() - start > SECONDS.toNanos(CALL_SECONDS)) {
          throw new AssertionError("task " + tid + " of " + identity + " hangs in the kernel");
        }
        if (System.nanoTime() - start > SECONDS.toNanos(1)) {
          interrupt();
        }
        LockSupport.parkNanos(100_000);
      }
    }
  }

  public int umask(int mask) {
    return (int) call(Sys.UMASK, mask);
  }

  public void chdir(String path) {
    call(Sys.CHDIR, path);
  }

  public String getcwd() {
    var buffer = Arena.ofAuto().allocate(4096);
    call(Sys.GETCWD, buffer, buffer.byteSize());
    return buffer.getString(0, ISO_8859_1);
  }

  public Fd open(String path, int flags) {
    return open(path, flags, 0);
  }

  public Fd open(String path, int flags, int mode) {
    return new Fd(this, (int) call(Sys.OPENAT, AT_FDCWD, path, flags, mode));
  }

  /** Makes or truncates a file, mode 0644, and writes these bytes. */
  public void write(String path, byte... content) {
    try (var fd = open(path, Linux.O_WRONLY | Linux.O_CREAT | Linux.O_TRUNC, 0644)) {
      fd.writeFully(content);
    }
  }

  /** Makes or truncates a file, mode 0644, and writes this text (ISO 8859-1). */
  public void write(String path, String content) {
    write(path, content.getBytes(ISO_8859_1));
  }

  public byte[] read(String path) {
    try (var fd = open(path, Linux.O_RDONLY)) {
      return fd.readFully();
    }
  }

  public String readText(String path) {
    return new String(read(path), ISO_8859_1);
  }

  public void mkdir(String path, int mode) {
    call(Sys.MKDIRAT, AT_FDCWD, path, mode);
  }

  /** mode has the type; the device is {@code makedev} of the parts. */
  public void mknod(String path, int mode, int major, int minor) {
    call(Sys.MKNODAT, AT_FDCWD, path, mode, Linux.makedev(major, minor));
  }

  public void symlink(String target, String path) {
    call(Sys.SYMLINKAT, target, AT_FDCWD, path);
  }

  public String readlink(String path) {
    var buffer = Arena.ofAuto().allocate(4096);
    int length = (int) call(Sys.READLINKAT, AT_FDCWD, path, buffer, buffer.byteSize());
    return new String(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), ISO_8859_1);
  }

  public void link(String existing, String path) {
    call(Sys.LINKAT, AT_FDCWD, existing, AT_FDCWD, path, 0);
  }

  /** linkat(2) of an open file, as O_TMPFILE is for. */
  public void link(Fd file, String path) {
    call(
        Sys.LINKAT,
        AT_FDCWD,
        "/proc/thread-self/fd/" + file.number(),
        AT_FDCWD,
        path,
        AT_SYMLINK_FOLLOW);
  }

  public void unlink(String path) {
    call(Sys.UNLINKAT, AT_FDCWD, path, 0);
  }

  public void rmdir(String path) {
    call(Sys.UNLINKAT, AT_FDCWD, path, AT_REMOVEDIR);
  }

  public void rename(String from, String to) {
    rename(from, to, 0);
  }

  public void rename(String from, String to, int flags) {
    call(Sys.RENAMEAT2, AT_FDCWD, from, AT_FDCWD, to, flags);
  }

  public void chmod(String path, int mode) {
    call(Sys.FCHMODAT, AT_FDCWD, path, mode);
  }

  /** -1 leaves an id as it is. */
  public void chown(String path, int uid, int gid) {
    call(Sys.FCHOWNAT, AT_FDCWD, path, uid, gid, 0);
  }

  public void lchown(String path, int uid, int gid) {
    call(Sys.FCHOWNAT, AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
  }

  public Stat stat(String path) {
    return statx(AT_FDCWD, path, 0);
  }

  public Stat lstat(String path) {
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  }

  Stat fstat(int fd) {
    return statx(fd, "", AT_EMPTY_PATH);
  }

  private Stat statx(int fd, String path, int flags) {
    var buffer = Arena.ofAuto().allocate(Stat.BYTES, 8);
    call(Sys.STATX, fd, path, flags, Stat.MASK, buffer);
    return Stat.of(buffer);
  }

  public boolean exists(String path) {
    try {
      lstat(path);
      return true;
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ENOENT) {
        return false;
      }
      throw e;
    }
  }

  /** access(2): checks the real ids. */
  public void access(String path, int mask) {
    call(Sys.FACCESSAT, AT_FDCWD, path, mask);
  }

  public void truncate(String path, long size) {
    call(Sys.TRUNCATE, path, size);
  }

  /** Sets both times to now, as {@code touch}. */
  public void touch(String path) {
    call(Sys.UTIMENSAT, AT_FDCWD, path, 0L, 0);
  }

  public void utimens(String path, Timespec atime, Timespec mtime) {
    call(Sys.UTIMENSAT, AT_FDCWD, path, Fd.times(atime, mtime), 0);
  }

  public void lutimens(String path, Timespec atime, Timespec mtime) {
    call(Sys.UTIMENSAT, AT_FDCWD, path, Fd.times(atime, mtime), AT_SYMLINK_NOFOLLOW);
  }

  public Statfs statfs(String path) {
    var buffer = Arena.ofAuto().allocate(Statfs.BYTES, 8);
    call(Sys.STATFS, path, buffer);
    return Statfs.of(buffer);
  }

  public void setxattr(String path, String name, byte[] value, int flags) {
    call(Sys.SETXATTR, path, name, copy(value), (long) value.length, flags);
  }

  public void lsetxattr(String path, String name, byte[] value, int flags) {
    call(Sys.LSETXATTR, path, name, copy(value), (long) value.length, flags);
  }

  public byte[] getxattr(String path, String name) {
    var buffer = Arena.ofAuto().allocate(Linux.XATTR_SIZE_MAX);
    int length = (int) call(Sys.GETXATTR, path, name, buffer, buffer.byteSize());
    return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
  }

  /** With size 0 answers how many bytes the value has. */
  public long getxattrSize(String path, String name, int size) {
    return call(Sys.GETXATTR, path, name, Arena.ofAuto().allocate(size + 1L), (long) size);
  }

  /** The names, sorted. */
  public String[] listxattr(String path) {
    var buffer = Arena.ofAuto().allocate(65536);
    int length = (int) call(Sys.LISTXATTR, path, buffer, buffer.byteSize());
    var all = new String(buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), ISO_8859_1);
    var names = all.isEmpty() ? new String[0] : all.split("\0");
    Arrays.sort(names);
    return names;
  }

  public void removexattr(String path, String name) {
    call(Sys.REMOVEXATTR, path, name);
  }

  /** An AF_UNIX stream socket bound to this path. */
  public Fd listenUnix(String path) {
    var fd = socket();
    var address = unixAddress(path);
    call(Sys.BIND, fd.number(), address, (int) address.byteSize());
    call(Sys.LISTEN, fd.number(), 1);
    return fd;
  }

  public Fd connectUnix(String path) {
    var fd = socket();
    var address = unixAddress(path);
    call(Sys.CONNECT, fd.number(), address, (int) address.byteSize());
    return fd;
  }

  private Fd socket() {
    int unix = 1;
    int stream = 1;
    return new Fd(this, (int) call(Sys.SOCKET, unix, stream, 0));
  }

  private static MemorySegment unixAddress(String path) {
    var address = Arena.ofAuto().allocate(110);
    address.set(ValueLayout.JAVA_SHORT, 0, (short) 1);
    address.setString(2, path, ISO_8859_1);
    return address;
  }

  static MemorySegment copy(byte[] bytes) {
    var segment = Arena.ofAuto().allocate(Math.max(1, bytes.length));
    MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return segment;
  }
}
