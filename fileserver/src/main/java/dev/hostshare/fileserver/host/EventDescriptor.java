package dev.hostshare.fileserver.host;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.hostshare.proto.Errno;
import java.lang.foreign.MemorySegment;

/** Waits on a descriptor that tells of events, and reads them: fanotify's, inotify's. */
final class EventDescriptor {
  private static final int POLLIN = 1;

  private EventDescriptor() {}

  /**
   * poll(2) for something to read.
   *
   * @param millis -1: for as long as it takes
   */
  static void poll(int fd, int millis) throws ErrnoException {
    Scratch s = Scratch.get();
    // struct pollfd: fd, events, revents
    s.struct.set(JAVA_INT_UNALIGNED, 0, fd);
    s.struct.set(JAVA_INT_UNALIGNED, 4, POLLIN);
    try {
      LinuxHost.check(s, (int) Libc.POLL.invokeExact(s.callState, s.struct, 1L, millis));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
  }

  /** Bytes of events that are there now; 0 if there are none. For a descriptor that never waits. */
  static long read(int fd, MemorySegment buffer) throws ErrnoException {
    Scratch s = Scratch.get();
    while (true) {
      long length;
      try {
        length = (long) Libc.READ.invokeExact(s.callState, fd, buffer, buffer.byteSize());
      } catch (Throwable e) {
        throw LinuxHost.rethrow(e);
      }
      if (length >= 0) {
        return length;
      }
      int errno = Libc.errno(s.callState);
      if (errno == Errno.EAGAIN) {
        return 0;
      }
      if (errno != Errno.EINTR) {
        throw ErrnoException.of(errno);
      }
    }
  }
}
