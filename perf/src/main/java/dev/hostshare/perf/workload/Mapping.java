package dev.hostshare.perf.workload;

import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.sys.Errno;
import dev.hostshare.perf.sys.SystemCallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** A file by mmap(2), shared, for as long as something is done with it. */
final class Mapping {
  private Mapping() {}

  /** What is done with a mapping. */
  interface Work {
    void with(MemorySegment mapping) throws IOException;
  }

  /**
   * Maps the first {@code size} bytes of a file.
   *
   * @throws UnavailableException if its file system has no shared mappings, which is no failure of
   *     it
   */
  static void with(Path file, long size, boolean isWritten, Work work) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      int flags = isWritten ? Calls.O_RDWR : Calls.O_RDONLY;
      int fd = Calls.open(arena.allocateFrom(file.toString()), flags, 0);
      try {
        MemorySegment mapping = map(fd, size, isWritten);
        try {
          work.with(mapping);
        } catch (InternalError e) {
          // The JVM's name for SIGBUS.
          throw new IOException(
              "the mapping of %s has a page that cannot be had".formatted(file), e);
        } finally {
          Calls.unmap(mapping);
        }
      } finally {
        Calls.close(fd);
      }
    }
  }

  private static MemorySegment map(int fd, long size, boolean isWritten) throws IOException {
    try {
      return Calls.map(fd, size, isWritten);
    } catch (SystemCallException e) {
      if (e.errno() == Errno.ENODEV || e.errno() == Errno.EINVAL || e.errno() == Errno.ENOSYS) {
        throw new UnavailableException("this file system has no shared mappings");
      }
      throw e;
    }
  }
}
