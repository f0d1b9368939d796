package dev.hostshare.perf.measure;

import static com.google.common.base.Preconditions.checkArgument;

import java.io.InterruptedIOException;
import java.util.concurrent.locks.LockSupport;

/**
 * A plan of when each operation is to begin.
 *
 * <p>An operation that is late, because the one before it took long, is counted from when it should
 * have begun. Else a file system that stops for a second would have one slow operation, where its
 * users have as many as they ask for in that second ("coordinated omission").
 */
final class Pace {
  /** The last stretch is waited for without sleeping: a wake-up is late by some 50 µs. */
  private static final long SPIN_NANOS = 80_000;

  private final double interval;
  private long start;
  private long begun;

  /**
   * @param rate operations per second
   */
  Pace(double rate) {
    checkArgument(rate > 0, "rate (%s) must be positive", rate);
    interval = 1e9 / rate;
  }

  /** Returns at the time for the next operation, or at once if that has passed; answers it. */
  long await() throws InterruptedIOException {
    long now = System.nanoTime();
    if (begun == 0) {
      start = now;
    }
    long next = start + (long) (begun++ * interval);
    while (next - now > 0) {
      if (next - now > SPIN_NANOS) {
        LockSupport.parkNanos(next - now - SPIN_NANOS);
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException("interrupted");
        }
      } else {
        Thread.onSpinWait();
      }
      now = System.nanoTime();
    }
    return next;
  }
}
