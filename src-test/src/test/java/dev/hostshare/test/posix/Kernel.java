package dev.hostshare.test.posix;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;

/**
 * {@code syscall(2)} on the calling thread.
 *
 * <p>The raw calls, not the C library's wrappers: glibc carries a change of credentials over to all
 * threads of the process, the kernel does not.
 */
@SuppressWarnings("restricted") // native calls are its purpose
final class Kernel {
  /**
   * A signal that nothing in the JVM uses; a blocked call of a thread it is sent to ends with
   * EINTR.
   */
  static final int SIG_INTERRUPT = 40;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final MethodHandle SYSCALL =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("syscall"),
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
              JAVA_LONG),
          Linker.Option.firstVariadicArg(1),
          Linker.Option.captureCallState("errno"));

  static {
    installInterruptHandler();
  }

  private Kernel() {}

  /**
   * Makes the call. An argument is an {@code Integer}, a {@code Long}, a {@code MemorySegment}
   * (passed as its address; it must be native), or a {@code String} (passed as a NUL-terminated
   * byte string).
   *
   * @throws ErrnoException if the kernel answers an error
   */
  static long call(Sys call, Object... arguments) {
    try (var arena = Arena.ofConfined()) {
      var state = arena.allocate(STATE);
      long[] a = new long[6];
      for (int i = 0; i < arguments.length; i++) {
        a[i] = word(arena, arguments[i]);
      }
      long result;
      try {
        result = (long) SYSCALL.invokeExact(state, call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
      if (result == -1) {
        throw new ErrnoException(call, (int) ERRNO.get(state, 0L));
      }
      return result;
    } finally {
      Reference.reachabilityFence(arguments);
    }
  }

  private static long word(Arena arena, Object argument) {
    return switch (argument) {
      case Integer i -> i;
      case Long l -> l;
      case MemorySegment s -> s.address();
      case String s -> arena.allocateFrom(s, ISO_8859_1).address();
      default -> throw new IllegalArgumentException("not an argument: " + argument);
    };
  }

  /**
   * A handler without SA_RESTART. It must be native code, since it runs wherever the thread happens
   * to be: getppid(2) takes no argument and does nothing.
   */
  private static void installInterruptHandler() {
    MethodHandle sigaction =
        LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("sigaction"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
    try (var arena = Arena.ofConfined()) {
      // struct sigaction: handler, a mask of 128 bytes, flags, restorer (glibc fills it in).
      var action = arena.allocate(152, 8);
      action.set(ADDRESS, 0, LINKER.defaultLookup().findOrThrow("getppid"));
      int result = (int) sigaction.invokeExact(SIG_INTERRUPT, action, MemorySegment.NULL);
      if (result != 0) {
        throw new AssertionError("sigaction failed");
      }
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
