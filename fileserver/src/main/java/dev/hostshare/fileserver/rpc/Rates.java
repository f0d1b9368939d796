package dev.hostshare.fileserver.rpc;

import java.util.concurrent.atomic.LongAdder;

/** How much a session asks for, over the last seconds. Thread-safe. */
final class Rates {
  /** Seconds that the rates are an average over. */
  private static final int SPAN = 5;

  private final LongAdder requests = new LongAdder();
  private final LongAdder read = new LongAdder();
  private final LongAdder written = new LongAdder();

  // ---- guarded by this: the counts at each of the last seconds, oldest first overwritten ----
  private final long[][] counts = new long[SPAN + 1][];
  private final long[] nanos = new long[SPAN + 1];
  private int next;

  /**
   * So much in a second.
   *
   * @param read bytes
   * @param written bytes
   */
  record PerSecond(double requests, double read, double written) {}

  void request() {
    requests.increment();
  }

  void read(int bytes) {
    read.add(bytes);
  }

  void written(int bytes) {
    written.add(bytes);
  }

  long requests() {
    return requests.sum();
  }

  /** To be called once a second. */
  synchronized void measure() {
    counts[next] = new long[] {requests.sum(), read.sum(), written.sum()};
    nanos[next] = System.nanoTime();
    next = (next + 1) % counts.length;
  }

  synchronized PerSecond perSecond() {
    int last = (next + counts.length - 1) % counts.length;
    int first = counts[next] == null ? 0 : next;
    if (counts[last] == null || first == last) {
      return new PerSecond(0, 0, 0);
    }
    double seconds = (nanos[last] - nanos[first]) / 1e9;
    return new PerSecond(
        (counts[last][0] - counts[first][0]) / seconds,
        (counts[last][1] - counts[first][1]) / seconds,
        (counts[last][2] - counts[first][2]) / seconds);
  }
}
