package dev.hostshare.agent.fs;

/**
 * What the server told of lately that is no longer so. A reply to a request sent before that may
 * have been computed before the change: what it says is passed on, but not kept.
 *
 * <p>Nodes are the server's numbers. A change in a session that is over can only make a reply look
 * older than it is. Thread-safe.
 */
final class Changes {
  /** More than come while one request is under way; if not, its reply is not kept. */
  private static final int REMEMBERED = 1024;

  /** Stands for every node; the server gives out no 0. */
  private static final long ALL = 0;

  private final long[] nodes = new long[REMEMBERED];
  private volatile long count;

  /** Changes told so far. */
  long count() {
    return count;
  }

  /** A node changed, or a name in it. */
  synchronized void add(long node) {
    nodes[(int) (count % REMEMBERED)] = node;
    count++;
  }

  void addAll() {
    add(ALL);
  }

  /**
   * Whether no change of {@code node} or {@code other} was told since there were {@code before}.
   */
  boolean quiet(long before, long node, long other) {
    return count == before || search(before, node, other);
  }

  private synchronized boolean search(long before, long node, long other) {
    if (count - before > REMEMBERED) {
      return false;
    }
    for (long i = before; i < count; i++) {
      long changed = nodes[(int) (i % REMEMBERED)];
      if (changed == node || changed == other || changed == ALL) {
        return false;
      }
    }
    return true;
  }
}
