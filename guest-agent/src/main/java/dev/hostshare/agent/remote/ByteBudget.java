package dev.hostshare.agent.remote;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Bounds the memory of the data in unanswered requests.
 *
 * <p>A request larger than the whole budget is let through when nothing else is on its way, so that
 * no size can wait for ever.
 */
final class ByteBudget {
  /**
   * Beyond so many budgets nothing at all is taken in. Until then writes only are held up, so that
   * an interrupt, say, still gets through.
   */
  private static final int LAST_RESORT = 2;

  private final LongSupplier limit;
  private final List<Runnable> waiting = new ArrayList<>();
  private long used;
  private boolean open = true;

  /** {@code limit} may change: how many bytes there may be. */
  ByteBudget(LongSupplier limit) {
    this.limit = limit;
  }

  /**
   * Takes {@code bytes}, waiting while others hold them and the budget is {@linkplain #open open},
   * if the caller may wait.
   */
  synchronized void acquire(long bytes, boolean mayWait) {
    boolean interrupted = false;
    while (mayWait && open && used > 0 && used + bytes > limit.getAsLong()) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    used += bytes;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  void release(long bytes) {
    List<Runnable> next;
    synchronized (this) {
      used -= bytes;
      next = wake();
    }
    next.forEach(Runnable::run);
  }

  /** While it is not open nobody waits: what is asked for will be refused anyway. */
  void open(boolean value) {
    List<Runnable> next;
    synchronized (this) {
      open = value;
      next = wake();
    }
    next.forEach(Runnable::run);
  }

  /** Whether something is left. */
  synchronized boolean hasRoom() {
    return used < limit.getAsLong();
  }

  /** Whether it is overdrawn to the last; {@code then} is run when it is not any more. */
  synchronized boolean awaitRoom(Runnable then) {
    return isOverdrawn() && waiting.add(then);
  }

  @GuardedBy("this")
  private boolean isOverdrawn() {
    return open && used >= LAST_RESORT * limit.getAsLong();
  }

  @GuardedBy("this")
  private List<Runnable> wake() {
    notifyAll();
    if (waiting.isEmpty() || isOverdrawn()) {
      return List.of();
    }
    List<Runnable> all = List.copyOf(waiting);
    waiting.clear();
    return all;
  }

  synchronized long used() {
    return used;
  }
}
