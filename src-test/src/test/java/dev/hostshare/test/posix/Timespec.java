package dev.hostshare.test.posix;

/** Seconds since the epoch and nanoseconds 0 to 999,999,999. */
public record Timespec(long seconds, int nanos) implements Comparable<Timespec> {
  /** {@code UTIME_NOW}: the file system's clock. */
  public static final Timespec NOW = new Timespec(0, (1 << 30) - 1);

  /** {@code UTIME_OMIT}: leave it as it is. */
  public static final Timespec OMIT = new Timespec(0, (1 << 30) - 2);

  @Override
  public int compareTo(Timespec other) {
    int bySeconds = Long.compare(seconds, other.seconds);
    return bySeconds != 0 ? bySeconds : Integer.compare(nanos, other.nanos);
  }

  public boolean isAfter(Timespec other) {
    return compareTo(other) > 0;
  }

  @Override
  public String toString() {
    return String.format("%d.%09d", seconds, nanos);
  }
}
