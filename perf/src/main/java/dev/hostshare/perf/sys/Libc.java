package dev.hostshare.perf.sys;

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

/** The C library's entry points that {@link Calls} calls, each with the captured errno first. */
@SuppressWarnings("restricted") // calling native code is this class's purpose
final class Libc {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

  static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO_FIELD =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  static final MethodHandle OPEN =
      LINKER.downcallHandle(
          address("open"),
          FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT),
          ERRNO,
          Linker.Option.firstVariadicArg(2));
  static final MethodHandle CLOSE = handle("close", JAVA_INT);
  static final MethodHandle READ = sizeHandle("read", JAVA_INT, ADDRESS, JAVA_LONG);
  static final MethodHandle WRITE = sizeHandle("write", JAVA_INT, ADDRESS, JAVA_LONG);
  static final MethodHandle PREAD = sizeHandle("pread", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  static final MethodHandle PWRITE = sizeHandle("pwrite", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
  static final MethodHandle STATX = handle("statx", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
  static final MethodHandle FCHMODAT = handle("fchmodat", JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  static final MethodHandle RENAMEAT = handle("renameat", JAVA_INT, ADDRESS, JAVA_INT, ADDRESS);
  static final MethodHandle UNLINKAT = handle("unlinkat", JAVA_INT, ADDRESS, JAVA_INT);
  static final MethodHandle GETDENTS64 = sizeHandle("getdents64", JAVA_INT, ADDRESS, JAVA_LONG);
  static final MethodHandle FSYNC = handle("fsync", JAVA_INT);
  static final MethodHandle FCNTL =
      LINKER.downcallHandle(
          address("fcntl"),
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS),
          ERRNO,
          Linker.Option.firstVariadicArg(2));
  static final MethodHandle MMAP =
      LINKER.downcallHandle(
          address("mmap"),
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG),
          ERRNO);
  static final MethodHandle MUNMAP = handle("munmap", JAVA_LONG, JAVA_LONG);
  static final MethodHandle MSYNC = handle("msync", JAVA_LONG, JAVA_LONG, JAVA_INT);
  static final MethodHandle MKDIR = handle("mkdir", ADDRESS, JAVA_INT);
  static final MethodHandle FTRUNCATE = handle("ftruncate", JAVA_INT, JAVA_LONG);
  static final MethodHandle STATVFS = handle("statvfs", ADDRESS, ADDRESS);
  static final MethodHandle GETPPID = handle("getppid");
  static final MethodHandle KILL = handle("kill", JAVA_INT, JAVA_INT);
  static final MethodHandle ISATTY = handle("isatty", JAVA_INT);
  static final MethodHandle SYNC =
      LINKER.downcallHandle(address("sync"), FunctionDescriptor.ofVoid());
  static final MethodHandle STRERROR =
      LINKER.downcallHandle(address("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

  /** Of glibc 2.32 and later. */
  static final MethodHandle STRERRORNAME =
      LINKER
          .defaultLookup()
          .find("strerrorname_np")
          .map(a -> LINKER.downcallHandle(a, FunctionDescriptor.of(ADDRESS, JAVA_INT)))
          .orElse(null);

  private Libc() {}

  private static MemorySegment address(String symbol) {
    return LINKER
        .defaultLookup()
        .find(symbol)
        .orElseThrow(() -> new IllegalStateException("the C library has no " + symbol));
  }

  /** Where a mapping is, as a segment of its size. */
  static MemorySegment mapping(long address, long length) {
    return MemorySegment.ofAddress(address).reinterpret(length);
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
