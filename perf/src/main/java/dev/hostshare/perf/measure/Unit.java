package dev.hostshare.perf.measure;

import java.util.Arrays;

/** What a measured figure counts. */
public enum Unit {
  MICROSECONDS("µs", false),
  MILLISECONDS("ms", false),
  SECONDS("s", false),
  MIB_PER_SECOND("MiB/s", true),
  OPERATIONS_PER_SECOND("ops/s", true),
  TRANSACTIONS_PER_SECOND("tps", true);

  private final String symbol;
  private final boolean isRate;

  Unit(String symbol, boolean isRate) {
    this.symbol = symbol;
    this.isRate = isRate;
  }

  public String symbol() {
    return symbol;
  }

  /** Whether more is better. */
  public boolean isRate() {
    return isRate;
  }

  /** How many times as fast {@code figure} is as {@code other}: above 1 is faster. */
  public double speed(double figure, double other) {
    return isRate ? figure / other : other / figure;
  }

  /**
   * The unit with this symbol.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Unit of(String symbol) {
    return Arrays.stream(values())
        .filter(unit -> unit.symbol.equals(symbol))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no such unit: " + symbol));
  }
}
