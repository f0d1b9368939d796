package dev.hostshare.agent.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The system calls that the driver makes itself. Each returns what the call returns, or the
 * negative errno. Source: section 2 of the manual pages.
 */
@SuppressWarnings("restricted")
public final class Libc {
  public static final int O_RDWR = 2;
  public static final int O_CLOEXEC = 02000000;

  /** include/uapi/asm-generic/ioctls.h: do not wait, as O_NONBLOCK. */
  static final long FIONBIO = 0x5421;

  /** umount2(2): take the mount out of the tree now, clean up when nobody uses it any more. */
  public static final int MNT_DETACH = 2;

  /** open(2): a descriptor that only names the file; nothing of it is opened. */
  public static final int O_PATH = 010000000;

  /** openat2(2): refuse to follow what /proc shows of other processes' files. */
  public static final int RESOLVE_NO_MAGICLINKS = 2;

  /** The same number on every architecture. */
  private static final long SYS_OPENAT2 = 437;

  private static final int AT_FDCWD = -100;

  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int MAP_PRIVATE = 2;
  private static final int MAP_ANONYMOUS = 0x20;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final ThreadLocal<MemorySegment> STATE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CAPTURE));

  private static final MethodHandle OPEN =
      handle(
          "open",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle CLOSE =
      handle("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  private static final MethodHandle READ =
      handle(
          "read",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle WRITE =
      handle(
          "write",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG));
  private static final MethodHandle IOCTL =
      handle(
          "ioctl",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.ADDRESS),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle MOUNT =
      handle(
          "mount",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG,
              ValueLayout.ADDRESS));
  private static final MethodHandle UMOUNT2 =
      handle(
          "umount2",
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
  private static final MethodHandle SETSID =
      handle("setsid", FunctionDescriptor.of(ValueLayout.JAVA_INT));

  private static final MethodHandle CHDIR =
      handle("chdir", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));

  private static final MethodHandle READLINK =
      handle(
          "readlink",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG));

  private static final MethodHandle MMAP =
      handle(
          "mmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));

  private static final MethodHandle MUNMAP =
      handle(
          "munmap",
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

  /** syscall(2) with the arguments of openat2(2), which the C library has no function for. */
  private static final MethodHandle OPENAT2 =
      handle(
          "syscall",
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG),
          Linker.Option.firstVariadicArg(1));

  /** Longest path that readlink(2) gives, with its end. */
  private static final int PATH_MAX = 4096;

  private Libc() {}

  private static MethodHandle handle(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    var all = new Linker.Option[options.length + 1];
    System.arraycopy(options, 0, all, 0, options.length);
    all[options.length] = Linker.Option.captureCallState("errno");
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, all);
  }

  /**
   * Anonymous memory: its pages take room when they are touched, and are given back some time after
   * nobody refers to it any more. It is no part of the JVM's allowance of direct memory.
   */
  static MemorySegment mapMemory(long bytes) {
    try {
      int protection = PROT_READ | PROT_WRITE;
      int flags = MAP_PRIVATE | MAP_ANONYMOUS;
      long address = (long) MMAP.invokeExact(STATE.get(), 0L, bytes, protection, flags, -1, 0L);
      if (address == -1) {
        throw new OutOfMemoryError(
            "cannot map %d bytes: errno %d".formatted(bytes, errno(STATE.get())));
      }
      return MemorySegment.ofAddress(address).reinterpret(bytes, Arena.ofAuto(), Libc::unmap);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  private static void unmap(MemorySegment memory) {
    try {
      int result = (int) MUNMAP.invokeExact(STATE.get(), memory.address(), memory.byteSize());
      if (result != 0) {
        throw new IllegalStateException("munmap: errno " + errno(STATE.get()));
      }
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  static int open(String path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = STATE.get();
      return result((int) OPEN.invokeExact(state, arena.allocateFrom(path), flags), state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /**
   * Opens an absolute path by openat2(2), Linux 5.6; {@code resolve}: 0 or {@link
   * #RESOLVE_NO_MAGICLINKS}.
   */
  public static int openat2(String path, int flags, long resolve) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = STATE.get();
      // struct open_how: flags, mode, resolve
      MemorySegment how = arena.allocateFrom(ValueLayout.JAVA_LONG, flags, 0, resolve);
      long fd =
          (long)
              OPENAT2.invokeExact(
                  state,
                  SYS_OPENAT2,
                  (long) AT_FDCWD,
                  arena.allocateFrom(path),
                  how,
                  how.byteSize());
      return fd >= 0 ? (int) fd : -errno(state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /** Where a symbolic link leads, its bytes as UTF-8; empty if it cannot be read as one. */
  public static Optional<String> readlink(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(PATH_MAX);
      long length =
          (long)
              READLINK.invokeExact(
                  STATE.get(), arena.allocateFrom(path), buffer, buffer.byteSize());
      return length < 0
          ? Optional.empty()
          : Optional.of(
              new String(
                  buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE),
                  StandardCharsets.UTF_8));
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  public static int close(int fd) {
    try {
      MemorySegment state = STATE.get();
      return result((int) CLOSE.invokeExact(state, fd), state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /** Reads into {@code buffer}, at most its size. */
  static long read(int fd, MemorySegment buffer) {
    try {
      MemorySegment state = STATE.get();
      long n = (long) READ.invokeExact(state, fd, buffer, buffer.byteSize());
      return n >= 0 ? n : -errno(state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /** Writes the first {@code length} bytes of {@code buffer}. */
  static long write(int fd, MemorySegment buffer, long length) {
    try {
      MemorySegment state = STATE.get();
      long n = (long) WRITE.invokeExact(state, fd, buffer, length);
      return n >= 0 ? n : -errno(state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  static int ioctl(int fd, long request, MemorySegment argument) {
    try {
      MemorySegment state = STATE.get();
      return result((int) IOCTL.invokeExact(state, fd, request, argument), state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  static int mount(String source, String target, String type, long flags, String data) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = STATE.get();
      return result(
          (int)
              MOUNT.invokeExact(
                  state,
                  arena.allocateFrom(source),
                  arena.allocateFrom(target),
                  arena.allocateFrom(type),
                  flags,
                  arena.allocateFrom(data)),
          state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /** Takes a mount out of the tree; {@code flags}: 0 or {@link #MNT_DETACH}. */
  public static int umount2(String target, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = STATE.get();
      return result((int) UMOUNT2.invokeExact(state, arena.allocateFrom(target), flags), state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /** Leaves the terminal's session, so that its end does not end us. */
  public static int setsid() {
    try {
      MemorySegment state = STATE.get();
      return result((int) SETSID.invokeExact(state), state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /** Goes to another working directory; Java's own paths must have been made absolute before. */
  public static int chdir(String directory) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = STATE.get();
      return result((int) CHDIR.invokeExact(state, arena.allocateFrom(directory)), state);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  private static int result(int value, MemorySegment state) {
    return value >= 0 ? value : -errno(state);
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  /** The handles' types are fixed above, so only a bug of ours or an Error gets here. */
  private static RuntimeException failed(Throwable t) {
    if (t instanceof Error error) {
      throw error;
    }
    return new IllegalStateException(t);
  }
}
