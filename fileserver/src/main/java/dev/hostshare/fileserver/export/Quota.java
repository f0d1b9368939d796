package dev.hostshare.fileserver.export;

import java.util.concurrent.atomic.AtomicInteger;

/** So many of something for all sessions together: nodes, descriptors. Thread-safe. */
public final class Quota {
  private final int limit;
  private final AtomicInteger count = new AtomicInteger();

  /** None yet, of at most {@code limit}. */
  public Quota(int limit) {
    this.limit = limit;
  }

  /** Counts one more; false if there are too many. */
  boolean add() {
    if (count.incrementAndGet() <= limit) {
      return true;
    }
    count.decrementAndGet();
    return false;
  }

  void remove(int number) {
    count.addAndGet(-number);
  }

  /** How many there are. */
  public int count() {
    return count.get();
  }
}
