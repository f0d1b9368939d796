package dev.hostshare.perf.measure;

import static com.google.common.base.Preconditions.checkArgument;

import org.HdrHistogram.Histogram;

/**
 * What one run of a workload gave.
 *
 * @param figure in the workload's unit
 * @param latencies of its operations, in nanoseconds; empty if they are not known one by one
 */
public record Sample(double figure, Histogram latencies) {
  /** Checks that there is a figure. */
  public Sample {
    checkArgument(figure > 0 && Double.isFinite(figure), "figure (%s) must be positive", figure);
  }
}
