package dev.hostshare.agent.remote;

/**
 * Bounds the memory of the data in unanswered requests.
 *
 * <p>A request larger than the whole budget is let through when nothing else is on its way, so that
 * no size can wait for ever.
 */
final class ByteBudget {
  private final long limit;
  private long used;
  private boolean open = true;

  ByteBudget(long limit) {
    this.limit = limit;
  }

  /**
   * Takes {@code bytes}, waiting while others hold them and the budget is {@linkplain #open open},
   * if the caller may wait.
   */
  synchronized void acquire(long bytes, boolean mayWait) {
    boolean interrupted = false;
    while (mayWait && open && used > 0 && used + bytes > limit) {
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

  synchronized void release(long bytes) {
    used -= bytes;
    notifyAll();
  }

  /** While it is not open nobody waits: what is asked for will be refused anyway. */
  synchronized void open(boolean value) {
    open = value;
    notifyAll();
  }

  synchronized long used() {
    return used;
  }
}
