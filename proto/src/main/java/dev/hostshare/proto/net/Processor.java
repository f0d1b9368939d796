package dev.hostshare.proto.net;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Keeps a thread on one of a machine's two processors, for as long as it likes
 * (sched_setaffinity(2)). Leaves alone what somebody else has set meanwhile (taskset(1)). For that
 * thread.
 */
@SuppressWarnings("restricted") // calling native code is this class's purpose
final class Processor {
  /** A mask's size: the system call takes no less than the kernel's, 8,192 processors at most. */
  private static final int MASK_BYTES = 1024;

  /** Of the masks that matter: two processors among the first 64. */
  private static final int WORDS = MASK_BYTES / Long.BYTES;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle GET = handle("sched_getaffinity");
  private static final MethodHandle SET = handle("sched_setaffinity");

  private final int which;
  private final MemorySegment mask = Arena.ofAuto().allocate(MASK_BYTES, Long.BYTES);

  /** The first word of what the thread was allowed before {@link #keep}; 0 if it is free. */
  private long allowed;

  /** The first word of what {@link #keep} has set. */
  private long kept;

  /**
   * @param which 0 for the first of the two, 1 for the second
   */
  Processor(int which) {
    this.which = which;
  }

  private static MethodHandle handle(String function) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(function),
        FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
  }

  /** Whether {@link #keep} has kept it. */
  boolean isKept() {
    return allowed != 0;
  }

  /**
   * The calling thread, which is free, stays on its processor until {@link #free}.
   *
   * @return false if it does not: it may use another number of processors than two
   */
  boolean keep() {
    long now = get();
    if (Long.bitCount(now) != 2) {
      return false;
    }
    kept = which == 0 ? Long.lowestOneBit(now) : Long.highestOneBit(now);
    allowed = set(kept) ? now : 0;
    return isKept();
  }

  /** The calling thread, which is kept, may run where it could before {@link #keep}. */
  void free() {
    if (get() == kept) {
      // Fails only where the processors were taken away meanwhile: it stays where it is then.
      set(allowed);
    }
    allowed = 0;
  }

  /** The mask, if all of it is in the first word; 0 if not, or if the system does not say. */
  private long get() {
    try {
      // The C library's wrapper gives 0 and has cleared what the kernel has not written.
      if ((int) GET.invokeExact(0, (long) MASK_BYTES, mask) != 0) {
        return 0;
      }
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
    for (int i = 1; i < WORDS; i++) {
      if (mask.getAtIndex(JAVA_LONG, i) != 0) {
        return 0;
      }
    }
    return mask.get(JAVA_LONG, 0);
  }

  private boolean set(long word) {
    mask.fill((byte) 0).set(JAVA_LONG, 0, word);
    try {
      return (int) SET.invokeExact(0, (long) MASK_BYTES, mask) == 0;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
