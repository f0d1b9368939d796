package dev.hostshare.perf.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class StopwatchTest {
  private static final long STALL = 100_000_000;

  private static void stallAt(Stopwatch watch, int stalled, int operations) throws IOException {
    for (int i = 0; i < operations; i++) {
      long begin = watch.begin();
      long end = System.nanoTime() + (i == stalled ? STALL : 0);
      while (System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      watch.end(begin);
    }
  }

  @Test
  void aStallIsCountedForEveryoneWhoWaits() throws IOException {
    // Given a rate of 1,000 operations per second, when nothing is answered for 0.1 s
    var watch = Stopwatch.paced(1000);
    stallAt(watch, 20, 200);
    // then the hundred that were due in this time have waited, on average for half of it.
    var latencies = watch.sample(Unit.OPERATIONS_PER_SECOND).latencies();
    long late = latencies.getTotalCount() - latencies.getCountBetweenValues(0, STALL / 10);
    assertTrue(late >= 85, late + " were late");
    assertTrue(latencies.getMaxValue() >= STALL);
  }

  @Test
  void withoutARateItIsOneSlowOperation() throws IOException {
    var watch = Stopwatch.unpaced();
    stallAt(watch, 20, 200);
    var latencies = watch.sample(Unit.OPERATIONS_PER_SECOND).latencies();
    assertEquals(1, latencies.getCountBetweenValues(STALL, 100 * STALL));
  }

  @Test
  void aRateIsKept() throws IOException {
    var watch = Stopwatch.paced(2000);
    stallAt(watch, -1, 400);
    double rate = watch.sample(Unit.OPERATIONS_PER_SECOND).figure();
    // Slower on a busy machine, but never faster.
    assertTrue(rate <= 2000 * 1.01, "" + rate);
    assertEquals(20_000, watch.within(100_000));
    assertEquals(10, watch.within(10));
  }

  @Test
  void whatIsBetweenOperationsDoesNotCount() throws IOException {
    var watch = Stopwatch.unpaced();
    long start = System.nanoTime();
    watch.end(watch.begin());
    long pause = System.nanoTime() + STALL;
    while (System.nanoTime() < pause) {
      Thread.onSpinWait();
    }
    watch.end(watch.begin());
    double counted = watch.sample(Unit.SECONDS).figure();
    assertTrue(counted < (System.nanoTime() - start) / 1e9 - 0.09, "" + counted);
  }

  @Test
  void ratesOfThreadsAddUp() throws IOException {
    var threads = new ArrayList<Stopwatch>();
    double sum = 0;
    for (int i = 0; i < 3; i++) {
      var watch = Stopwatch.unpaced();
      long begin = watch.begin();
      long end = System.nanoTime() + 1_000_000;
      while (System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      watch.end(begin, 1, 1 << 20);
      threads.add(watch);
      sum += watch.sample(Unit.MIB_PER_SECOND).figure();
    }
    var all = Stopwatch.unpaced();
    all.together(threads);
    assertEquals(sum, all.sample(Unit.MIB_PER_SECOND).figure(), 1e-6);
    assertEquals(3, all.sample(Unit.MIB_PER_SECOND).latencies().getTotalCount());
  }
}
