package dev.hostshare.perf.measure;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.ArrayList;
import java.util.List;

/**
 * Two sets of figures that were not measured together: is one faster than the other? The exact
 * Mann-Whitney U test, and the Hodges-Lehmann estimate of the ratio with the interval that belongs
 * to the test. Ties count half; with them the test is a little careful.
 *
 * @param probability of seeing figures at least as far apart if there were no difference
 * @param ratio how many times as fast the first are as the second
 */
public record RankTest(double probability, Interval ratio) {
  private static final double CONFIDENCE = 0.99;

  /**
   * Compares.
   *
   * @param unit says whether more is faster
   */
  public static RankTest of(Unit unit, List<Double> figures, List<Double> others) {
    checkArgument(!figures.isEmpty() && !others.isEmpty(), "no figures");
    var ratios = new ArrayList<Double>();
    double above = 0;
    for (double figure : figures) {
      for (double other : others) {
        double ratio = unit.speed(figure, other);
        ratios.add(ratio);
        above += ratio > 1 ? 1 : ratio == 1 ? 0.5 : 0;
      }
    }
    double[] likely = distribution(figures.size(), others.size());
    int pairs = ratios.size();
    // Towards the middle: half a tie is no evidence.
    int extreme = (int) Math.ceil(Math.min(above, pairs - above));
    return new RankTest(Math.min(1, 2 * cumulative(likely, extreme)), interval(ratios, likely));
  }

  private static Interval interval(List<Double> ratios, double[] likely) {
    List<Double> sorted = ratios.stream().sorted().toList();
    int cut = 0;
    while (cut + 1 < sorted.size() / 2 && 1 - 2 * cumulative(likely, cut + 1) >= CONFIDENCE) {
      cut++;
    }
    double confidence = Math.max(0, 1 - 2 * cumulative(likely, cut));
    return new Interval(
        Statistics.median(sorted),
        sorted.get(cut),
        sorted.get(sorted.size() - 1 - cut),
        confidence);
  }

  private static double cumulative(double[] likely, int value) {
    double sum = 0;
    for (int u = 0; u <= value; u++) {
      sum += likely[u];
    }
    return sum;
  }

  /**
   * How likely each value of U is where both come from the same distribution: the share of the
   * orderings of n and m figures that have it, which are the partitions of U into at most n parts
   * of at most m each.
   */
  private static double[] distribution(int n, int m) {
    double[] ways = new double[n * m + 1];
    ways[0] = 1;
    double all = 1;
    // The Gaussian binomial coefficient: multiply by (1 - q^(m+i)) / (1 - q^i).
    for (int i = 1; i <= n; i++) {
      for (int u = n * m; u >= m + i; u--) {
        ways[u] -= ways[u - m - i];
      }
      for (int u = i; u <= n * m; u++) {
        ways[u] += ways[u - i];
      }
      all = all * (m + i) / i;
    }
    for (int u = 0; u < ways.length; u++) {
      ways[u] /= all;
    }
    return ways;
  }
}
