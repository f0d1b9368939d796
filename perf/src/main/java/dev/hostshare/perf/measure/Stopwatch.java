package dev.hostshare.perf.measure;

import static com.google.common.base.Preconditions.checkArgument;
import static com.google.common.base.Preconditions.checkState;

import java.io.InterruptedIOException;
import java.util.List;
import java.util.OptionalDouble;
import org.HdrHistogram.Histogram;

/**
 * Takes the time of operations. What is done between the end of one and the beginning of the next,
 * such as checking what was read, is not counted.
 *
 * <p>For one thread; several have one each, put {@link #together} afterwards.
 */
public final class Stopwatch {
  /** Latencies are kept to three digits, from 1 ns on. */
  private static final int DIGITS = 3;

  /** With a rate set, a run does not go on for longer. */
  private static final double PACED_SECONDS = 10;

  private final Histogram latencies = new Histogram(DIGITS);
  private final Pace pace;
  private final double rate;
  private long busy;
  private long items;
  private long bytes;
  private long first;
  private long last;
  private double itemsPerSecond;
  private double bytesPerSecond;
  private OptionalDouble told = OptionalDouble.empty();

  private Stopwatch(double rate) {
    this.rate = rate;
    pace = rate > 0 ? new Pace(rate) : null;
  }

  /** Operations follow each other as fast as they can. */
  public static Stopwatch unpaced() {
    return new Stopwatch(0);
  }

  /**
   * Each operation has its time, and is counted from then.
   *
   * @param rate operations per second
   */
  public static Stopwatch paced(double rate) {
    checkArgument(rate > 0, "rate (%s) must be positive", rate);
    return new Stopwatch(rate);
  }

  /**
   * How many of so many operations a run takes: at a rate, as many as ten seconds have room for.
   */
  public int within(int operations) {
    return pace == null
        ? operations
        : (int) Math.max(1, Math.min(operations, rate * PACED_SECONDS));
  }

  /** An operation begins; answers when, for {@link #end}. */
  public long begin() throws InterruptedIOException {
    long begin = pace == null ? System.nanoTime() : pace.await();
    if (first == 0) {
      first = begin;
    }
    return begin;
  }

  /** The operation has ended. */
  public void end(long begin) {
    end(begin, 1, 0);
  }

  /**
   * The operation has ended.
   *
   * @param count how many things it was done to, files for example
   * @param length bytes that were moved
   */
  public void end(long begin, long count, long length) {
    last = System.nanoTime();
    long nanos = last - begin;
    latencies.recordValue(nanos);
    busy += nanos;
    items += count;
    bytes += length;
  }

  /** What has been done since then counts, but is no operation by itself: a last fsync(2). */
  public void charge(long begin) {
    last = System.nanoTime();
    busy += last - begin;
  }

  /** The figure is not ours to work out: a program has said it. */
  public void tell(double figure) {
    told = OptionalDouble.of(figure);
  }

  /** Adds what several threads have done at the same time: their rates add up. */
  public void together(List<Stopwatch> threads) {
    checkState(items == 0, "already used");
    for (Stopwatch thread : threads) {
      latencies.add(thread.latencies);
      busy += thread.busy;
      items += thread.items;
      bytes += thread.bytes;
      itemsPerSecond += thread.itemsPerSecond();
      bytesPerSecond += thread.bytesPerSecond();
    }
  }

  private double itemsPerSecond() {
    return itemsPerSecond > 0 ? itemsPerSecond : items * 1e9 / elapsed();
  }

  private double bytesPerSecond() {
    return bytesPerSecond > 0 ? bytesPerSecond : bytes * 1e9 / elapsed();
  }

  /** With a rate set, waiting for it is part of how many were done. */
  private long elapsed() {
    return Math.max(1, pace == null ? busy : last - first);
  }

  /** What the run gave. */
  public Sample sample(Unit unit) {
    checkState(items > 0 || told.isPresent(), "nothing was measured");
    double figure =
        switch (unit) {
          case MICROSECONDS -> busy / 1e3 / items;
          case MILLISECONDS -> busy / 1e6 / items;
          case SECONDS -> busy / 1e9;
          case MIB_PER_SECOND -> bytesPerSecond() / (1 << 20);
          case OPERATIONS_PER_SECOND, TRANSACTIONS_PER_SECOND ->
              told.isPresent() ? told.getAsDouble() : itemsPerSecond();
        };
    return new Sample(figure, latencies);
  }
}
