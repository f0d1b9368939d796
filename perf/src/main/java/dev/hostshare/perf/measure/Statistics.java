package dev.hostshare.perf.measure;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.ArrayList;
import java.util.List;

/**
 * What becomes of the figures of several rounds.
 *
 * <p>Nothing is assumed of how figures are distributed, since a disk's are not normal: medians,
 * intervals from ranks, a test from ranks.
 */
public final class Statistics {
  private static final double CONFIDENCE = 0.95;

  private Statistics() {}

  /** The middle one; the mean of the two in the middle if their number is even. */
  public static double median(List<Double> figures) {
    checkArgument(!figures.isEmpty(), "no figures");
    List<Double> sorted = figures.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  /** Half the way from the smallest to the largest, as a share of the median. */
  public static double spread(List<Double> figures) {
    double smallest = figures.stream().min(Double::compare).orElseThrow();
    double largest = figures.stream().max(Double::compare).orElseThrow();
    return (largest - smallest) / 2 / median(figures);
  }

  /**
   * The median with an interval for it: the narrowest pair of ordered figures, as far from both
   * ends, that has a confidence of 95 %. Fewer than six figures cannot have it: then it is all of
   * them, with the confidence that they have (five 93.75 %, three 75 %). The number of figures
   * below the true median is that of heads in as many throws of a coin (the sign test, inverted;
   * see Conover, Practical Nonparametric Statistics, 3.2).
   */
  public static Interval interval(List<Double> figures) {
    List<Double> sorted = figures.stream().sorted().toList();
    int n = sorted.size();
    double median = median(sorted);
    int cut = 0;
    double confidence = 1 - 2 * atMost(0, n);
    while (cut + 1 < n / 2 && 1 - 2 * atMost(cut + 1, n) >= CONFIDENCE) {
      cut++;
      confidence = 1 - 2 * atMost(cut, n);
    }
    return new Interval(
        median, sorted.get(cut), sorted.get(n - 1 - cut), n == 1 ? 0 : Math.max(0, confidence));
  }

  /** How likely it is to see at most {@code heads} in {@code throwsDone} throws of a coin. */
  private static double atMost(int heads, int throwsDone) {
    double sum = 0;
    double term = Math.pow(0.5, throwsDone);
    for (int k = 0; k <= heads; k++) {
      sum += term;
      term = term * (throwsDone - k) / (k + 1);
    }
    return sum;
  }

  /**
   * How many times as fast {@code figures} are as {@code others}, round by round: figures of one
   * round were measured within seconds of each other.
   */
  public static Interval ratio(Unit unit, List<Double> figures, List<Double> others) {
    int rounds = Math.min(figures.size(), others.size());
    checkArgument(rounds > 0, "no figures");
    var ratios = new ArrayList<Double>(rounds);
    for (int i = 0; i < rounds; i++) {
      ratios.add(unit.speed(figures.get(i), others.get(i)));
    }
    return interval(ratios);
  }
}
