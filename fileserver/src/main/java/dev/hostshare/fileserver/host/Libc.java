package dev.hostshare.fileserver.host;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The C library's entry points that {@link LinuxHost} and its siblings call, each with the captured
 * errno as first argument. Only handles and the number of openat2, nothing of what they mean.
 */
@SuppressWarnings("restricted") // calling native code is this class's purpose
final class Libc {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

  static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO_FIELD =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  /** __NR_openat2, the same on every architecture; glibc 2.36 has no wrapper. */
  static final long NR_OPENAT2 = 437;

  static final MethodHandle SYSCALL_OPENAT2 =
      LINKER.downcallHandle(
          address("syscall"),
          FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG),
          ERRNO,
          Linker.Option.firstVariadicArg(1));
  static final MethodHandle OPENAT =
      LINKER.downcallHandle(
          address("openat"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
          ERRNO,
          Linker.Option.firstVariadicArg(3));
  static final MethodHandle CLOSE = handle("close", JAVA_INT);
  static final MethodHandle STATX = handle("statx", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
  static final MethodHandle READLINKAT =
      sizeHandle("readlinkat", JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
  static final MethodHandle SYMLINKAT = handle("symlinkat", ADDRESS, JAVA_INT, ADDRESS);
  static final MethodHandle MKDIRAT = handle("mkdirat", JAVA_INT, ADDRESS, JAVA_INT);
  static final MethodHandle UNLINKAT = handle("unlinkat", JAVA_INT, ADDRESS, JAVA_INT);
  static final MethodHandle RENAMEAT2 =
      handle("renameat2", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
  static final MethodHandle LINKAT =
      handle("linkat", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
  static final MethodHandle UTIMENSAT = handle("utimensat", JAVA_INT, ADDRESS, ADDRESS, JAVA_INT);
  static final MethodHandle READAHEAD = sizeHandle("readahead", JAVA_INT, JAVA_LONG, JAVA_LONG);
  static final MethodHandle FTRUNCATE = handle("ftruncate", JAVA_INT, JAVA_LONG);
  static final MethodHandle PREAD = sizeHandle("pread", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  static final MethodHandle PWRITE = sizeHandle("pwrite", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  static final MethodHandle FALLOCATE =
      handle("fallocate", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  static final MethodHandle LSEEK = sizeHandle("lseek", JAVA_INT, JAVA_LONG, JAVA_INT);
  static final MethodHandle COPY_FILE_RANGE =
      sizeHandle("copy_file_range", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  static final MethodHandle FSYNC = handle("fsync", JAVA_INT);
  static final MethodHandle FDATASYNC = handle("fdatasync", JAVA_INT);
  static final MethodHandle SYNC_FILE_RANGE =
      handle("sync_file_range", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  static final MethodHandle SYNCFS = handle("syncfs", JAVA_INT);
  static final MethodHandle FSTATFS = handle("fstatfs", JAVA_INT, ADDRESS);
  static final MethodHandle GETDENTS64 = sizeHandle("getdents64", JAVA_INT, ADDRESS, JAVA_LONG);
  static final MethodHandle FLOCK = handle("flock", JAVA_INT, JAVA_INT);
  static final MethodHandle FCNTL_LOCK =
      LINKER.downcallHandle(
          address("fcntl"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS),
          ERRNO,
          Linker.Option.firstVariadicArg(2));
  static final MethodHandle FANOTIFY_INIT = handle("fanotify_init", JAVA_INT, JAVA_INT);
  static final MethodHandle FANOTIFY_MARK =
      handle("fanotify_mark", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS);
  static final MethodHandle INOTIFY_INIT1 = handle("inotify_init1", JAVA_INT);
  static final MethodHandle INOTIFY_ADD_WATCH =
      handle("inotify_add_watch", JAVA_INT, ADDRESS, JAVA_INT);
  static final MethodHandle NAME_TO_HANDLE_AT =
      handle("name_to_handle_at", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_INT);
  static final MethodHandle POLL = handle("poll", ADDRESS, JAVA_LONG, JAVA_INT);
  static final MethodHandle READ = sizeHandle("read", JAVA_INT, ADDRESS, JAVA_LONG);
  static final MethodHandle UMASK = handle("umask", JAVA_INT);
  static final MethodHandle SIGACTION = handle("sigaction", JAVA_INT, ADDRESS, ADDRESS);
  static final MethodHandle GETTID = handle("gettid");
  static final MethodHandle GETPID = handle("getpid");
  static final MethodHandle GETUID = handle("getuid");
  static final MethodHandle TGKILL = handle("tgkill", JAVA_INT, JAVA_INT, JAVA_INT);

  private Libc() {}

  static MemorySegment address(String symbol) {
    return LINKER
        .defaultLookup()
        .find(symbol)
        .orElseThrow(() -> new IllegalStateException("the C library has no " + symbol));
  }

  static int errno(MemorySegment callState) {
    return (int) ERRNO_FIELD.get(callState, 0L);
  }

  private static MethodHandle handle(String symbol, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        address(symbol), FunctionDescriptor.of(JAVA_INT, arguments), ERRNO);
  }

  private static MethodHandle sizeHandle(String symbol, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        address(symbol), FunctionDescriptor.of(JAVA_LONG, arguments), ERRNO);
  }
}
