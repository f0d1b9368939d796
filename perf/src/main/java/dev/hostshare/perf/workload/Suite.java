package dev.hostshare.perf.workload;

/** Which workloads, how often, and with how much. */
public enum Suite {
  /** What matters most, in a minute or two. */
  QUICK(3, 32L << 20),
  /** Every operation there is. */
  STANDARD(5, 512L << 20),
  /** The programs that developers run. */
  DEVELOPER(3, 512L << 20);

  private final int rounds;
  private final long size;

  Suite(int rounds, long size) {
    this.rounds = rounds;
    this.size = size;
  }

  public int rounds() {
    return rounds;
  }

  /** Of the big file, in bytes: see {@link Scale}. */
  public long size() {
    return size;
  }
}
