package dev.hostshare.fileserver.export;

import java.util.concurrent.atomic.AtomicInteger;

/** The nodes of all sessions, which share one memory. Thread-safe. */
public final class NodeCount {
  private final int limit;
  private final AtomicInteger count = new AtomicInteger();

  /** None yet, of at most {@code limit}. */
  public NodeCount(int limit) {
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

  void remove(int nodes) {
    count.addAndGet(-nodes);
  }

  /** How many there are. */
  public int count() {
    return count.get();
  }
}
