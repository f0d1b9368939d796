package dev.hostshare.perf.compare;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.List;

/** What becomes of the figures of several rounds. */
final class Statistics {
  private Statistics() {}

  /** The middle one; the mean of the two in the middle if their number is even. */
  static double median(List<Double> figures) {
    checkArgument(!figures.isEmpty(), "no figures");
    List<Double> sorted = figures.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
