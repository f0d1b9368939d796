package dev.hostshare.fileserver.host;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Wakes a thread out of a waiting system call with a signal whose handler does nothing. The only
 * way to end a waiting lock call; Java itself never interrupts one.
 */
final class LinuxSignals {
  /** A real-time signal that neither glibc (32, 33) nor the JVM uses. */
  private static final int SIGNAL = 44;

  /**
   * sizeof(struct sigaction) in glibc on 64-bit Linux: handler, 128 bytes of mask, flags, restorer.
   */
  private static final int SIGACTION_BYTES = 152;

  static {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(SIGACTION_BYTES, 8);
      // abs(3) is a function of one int that touches nothing: as good a handler as an empty one,
      // and
      // no Java code has to run on a signal. No SA_RESTART: the call is to end with EINTR.
      action.set(ADDRESS, 0, Libc.address("abs"));
      int result =
          (int)
              Libc.SIGACTION.invokeExact(
                  Scratch.get().callState, SIGNAL, action, MemorySegment.NULL);
      if (result != 0) {
        throw new IllegalStateException("sigaction failed");
      }
    } catch (Throwable e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private LinuxSignals() {}

  /** The calling thread's id, for {@link #interrupt}; the handler is in place afterwards. */
  static long currentThread() {
    try {
      return (int) Libc.GETTID.invokeExact(Scratch.get().callState);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static void interrupt(long thread) {
    try {
      MemorySegment state = Scratch.get().callState;
      int process = (int) Libc.GETPID.invokeExact(state);
      int ignored = (int) Libc.TGKILL.invokeExact(state, process, (int) thread, SIGNAL);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
