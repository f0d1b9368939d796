package dev.hostshare.perf.measure;

import dev.hostshare.perf.sys.Calls;
import java.io.InterruptedIOException;
import java.util.Arrays;

/**
 * What the tool itself adds to each operation.
 *
 * @param timerNanos reading the clock twice, of which the time of every operation contains one half
 *     before and one after
 * @param callNanos a system call that does nothing, by the way that all calls here go, and errno
 *     kept: of this the kernel's own part is in any program
 */
public record Overhead(double timerNanos, double callNanos) {
  private static final int OPERATIONS = 200_000;
  private static final int REPETITIONS = 7;

  /** Measures for some 100 ms: the median of several goes. */
  public static Overhead measure() throws InterruptedIOException {
    double[] timer = new double[REPETITIONS];
    double[] call = new double[REPETITIONS];
    for (int i = 0; i < REPETITIONS; i++) {
      timer[i] = timer();
      call[i] = Math.max(0, call() - timer[i]);
    }
    Arrays.sort(timer);
    Arrays.sort(call);
    return new Overhead(timer[REPETITIONS / 2], call[REPETITIONS / 2]);
  }

  private static double timer() throws InterruptedIOException {
    var watch = Stopwatch.unpaced();
    for (int i = 0; i < OPERATIONS; i++) {
      watch.end(watch.begin());
    }
    return watch.sample(Unit.MICROSECONDS).figure() * 1e3;
  }

  private static double call() throws InterruptedIOException {
    var watch = Stopwatch.unpaced();
    for (int i = 0; i < OPERATIONS; i++) {
      long begin = watch.begin();
      var _ = Calls.nothing();
      watch.end(begin);
    }
    return watch.sample(Unit.MICROSECONDS).figure() * 1e3;
  }
}
