package dev.hostshare.perf.work;

/** What a measured figure counts. */
public enum Unit {
  MICROSECONDS("µs", false),
  SECONDS("s", false),
  MIB_PER_SECOND("MiB/s", true),
  OPERATIONS_PER_SECOND("IOPS", true),
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

  /** How many times as fast {@code figure} is as {@code other}: above 1 is faster. */
  public double speed(double figure, double other) {
    return isRate ? figure / other : other / figure;
  }
}
