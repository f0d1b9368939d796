package dev.hostshare.perf.report;

import dev.hostshare.perf.machine.Machine;
import dev.hostshare.perf.machine.Mount;
import dev.hostshare.perf.measure.Interval;
import dev.hostshare.perf.measure.Overhead;
import java.util.List;

/**
 * All that a run has to say; as JSON, field by field. Fields that do not apply are null and left
 * out.
 *
 * @param schemaVersion {@link #VERSION}; another one where a field has changed its meaning or gone
 * @param started and finished: ISO 8601, UTC
 * @param complete whether every round was done; not after Ctrl-C
 */
public record Report(
    int schemaVersion,
    String tool,
    String version,
    String started,
    String finished,
    boolean complete,
    Settings settings,
    Machine machine,
    Overhead overhead,
    List<TargetInfo> targets,
    List<WorkloadResult> workloads) {
  public static final int VERSION = 1;

  /**
   * What was asked for.
   *
   * @param suite a name, or the workloads
   * @param bytes of the big file
   * @param files small ones
   * @param crowd files in the one folder that has many
   * @param rate operations per second; null if as fast as they can
   * @param practice what was done on other files before
   * @param seed of the contents
   */
  public record Settings(
      String suite,
      int rounds,
      long bytes,
      int files,
      int crowd,
      Double rate,
      String practice,
      long seed) {}

  /**
   * What was measured.
   *
   * @param peer where it is seen from elsewhere, or null
   * @param cold the command that makes it cold, or null
   * @param size of the file system, in bytes
   * @param free at the start, in bytes
   */
  public record TargetInfo(
      String name, String folder, String peer, String cold, Mount mount, long size, long free) {}

  /**
   * One row.
   *
   * @param unit of the figures: µs, ms, s, MiB/s, ops/s or tps
   * @param higherIsBetter whether the unit is a rate
   * @param rate that was set for it, or null
   */
  public record WorkloadResult(
      String id,
      String title,
      String standsFor,
      String unit,
      boolean higherIsBetter,
      Double rate,
      List<TargetResult> results) {}

  /**
   * One cell. Where there is a failure, there is no figure.
   *
   * @param figures by round
   * @param median of them; null if there are none
   * @param spread half the way from the smallest to the largest, as a share of the median
   * @param interval of the median
   * @param ratio how many times as fast it is as the first target; null for that one
   * @param latency null where operations are not known one by one
   * @param failure why there is no figure
   * @param skipped why it was not tried, or not in every round
   */
  public record TargetResult(
      String target,
      List<Double> figures,
      Double median,
      Double spread,
      Interval interval,
      Interval ratio,
      Latency latency,
      Failure failure,
      String skipped) {}

  /**
   * Of single operations, over all rounds, in microseconds.
   *
   * @param count of operations
   * @param curve points of the distribution: percentile, microseconds
   */
  public record Latency(
      long count,
      double mean,
      double p50,
      double p90,
      double p99,
      double max,
      List<List<Double>> curve) {}

  /**
   * What went wrong.
   *
   * @param round in which; from 1 on
   * @param errno its name, as in errno(3); null if it was not a system call that failed
   * @param path that it was about, as far as it is known
   */
  public record Failure(int round, String message, String errno, String path) {}
}
