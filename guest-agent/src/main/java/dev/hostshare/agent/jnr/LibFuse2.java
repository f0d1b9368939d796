package dev.hostshare.agent.jnr;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import jnr.ffi.Pointer;

/**
 * What jnr-fuse does not show of libfuse 2.9, by its place in memory: bit fields that it maps
 * wrongly or not at all, and one function.
 *
 * <p>Source: libfuse 2.9.9, {@code include/fuse.h} and {@code fuse_common.h}.
 */
final class LibFuse2 {

  /** struct fuse_operations: 38 pointers come before the flags. */
  private static final int OPERATIONS_FLAGS = 38 * 8;

  private static final int FLAG_NULLPATH_OK = 1;
  private static final int FLAG_NOPATH = 1 << 1;
  private static final int FLAG_UTIME_OMIT_OK = 1 << 2;

  /** struct fuse_conn_info. */
  private static final int CONN_CAPABLE = 20;

  private static final int CONN_WANT = 24;

  private static final int CAP_ASYNC_READ = 1;
  private static final int CAP_ATOMIC_O_TRUNC = 1 << 3;
  private static final int CAP_BIG_WRITES = 1 << 5;
  private static final int CAP_DONT_MASK = 1 << 6;

  /** struct fuse_file_info. */
  private static final int FILE_FLAGS = 0;

  private static final int FILE_BITS = 20;
  private static final int FILE_HANDLE = 24;
  private static final int FILE_LOCK_OWNER = 32;

  private static final byte BIT_KEEP_CACHE = 1 << 1;
  private static final byte BIT_FLOCK_RELEASE = 1 << 4;

  private final MethodHandle interrupted;

  @SuppressWarnings("restricted")
  LibFuse2() {
    // jnr-fuse has loaded the library: this is the same copy.
    interrupted =
        Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.libraryLookup("libfuse.so.2", Arena.global())
                    .findOrThrow("fuse_interrupted"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT));
  }

  /** Whether the request that this thread serves was interrupted. */
  boolean interrupted() {
    try {
      return (int) interrupted.invokeExact() != 0;
    } catch (Throwable t) {
      throw new IllegalStateException(t);
    }
  }

  /**
   * Says that operations on open files need no path, which they have none of once the file is
   * unlinked, and that utimens understands UTIME_OMIT: else libfuse drops {@code touch -a} and
   * {@code touch -m}.
   */
  static void setFlags(Pointer operations) {
    operations.putInt(
        OPERATIONS_FLAGS,
        operations.getInt(OPERATIONS_FLAGS) | FLAG_NULLPATH_OK | FLAG_NOPATH | FLAG_UTIME_OMIT_OK);
  }

  /** Asks for what the kernel offers, in the init callback. */
  static void negotiate(Pointer connection) {
    int wanted = CAP_ASYNC_READ | CAP_ATOMIC_O_TRUNC | CAP_BIG_WRITES | CAP_DONT_MASK;
    connection.putInt(
        CONN_WANT, connection.getInt(CONN_WANT) | (wanted & connection.getInt(CONN_CAPABLE)));
  }

  static int flags(Pointer file) {
    return file.getInt(FILE_FLAGS);
  }

  static long handle(Pointer file) {
    return file.getLong(FILE_HANDLE);
  }

  static void setHandle(Pointer file, long handle) {
    file.putLong(FILE_HANDLE, handle);
  }

  static long lockOwner(Pointer file) {
    return file.getLong(FILE_LOCK_OWNER);
  }

  static void setKeepCache(Pointer file) {
    file.putByte(FILE_BITS, (byte) (file.getByte(FILE_BITS) | BIT_KEEP_CACHE));
  }

  static boolean releasesFlock(Pointer file) {
    return (file.getByte(FILE_BITS) & BIT_FLOCK_RELEASE) != 0;
  }
}
