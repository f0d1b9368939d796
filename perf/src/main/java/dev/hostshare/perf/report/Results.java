package dev.hostshare.perf.report;

import dev.hostshare.perf.measure.Sample;
import dev.hostshare.perf.measure.Statistics;
import dev.hostshare.perf.measure.Unit;
import dev.hostshare.perf.report.Report.Failure;
import dev.hostshare.perf.report.Report.Latency;
import dev.hostshare.perf.report.Report.TargetResult;
import dev.hostshare.perf.report.Report.WorkloadResult;
import dev.hostshare.perf.workload.Workload;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/** Collects what each workload gave on each target, round by round. */
public final class Results {
  /** Fewer operations than this have no distribution worth the name. */
  private static final int LATENCIES = 10;

  /** Points of a curve for each halving of what is left above. */
  private static final int TICKS = 5;

  private record Key(String workload, String target) {}

  private static final class Cell {
    final List<Double> figures = new ArrayList<>();
    final Histogram latencies = new Histogram(3);
    Failure failure;
    String skipped;
  }

  private final Map<Key, Cell> cells = new HashMap<>();

  private Cell cell(Workload workload, String target) {
    return cells.computeIfAbsent(new Key(workload.id(), target), _ -> new Cell());
  }

  /** One round's. */
  public void add(Workload workload, String target, Sample sample) {
    Cell cell = cell(workload, target);
    cell.figures.add(sample.figure());
    cell.latencies.add(sample.latencies());
  }

  /** It is not tried again, and has no figure. */
  public void fail(Workload workload, String target, Failure failure) {
    cell(workload, target).failure = failure;
  }

  /** It is not tried, or not again; rounds that have a figure keep it. */
  public void skip(Workload workload, String target, String reason) {
    cell(workload, target).skipped = reason;
  }

  /** Whether there is nothing more to do with it. */
  public boolean isOver(Workload workload, String target) {
    Cell cell = cell(workload, target);
    return cell.failure != null || cell.skipped != null;
  }

  /** Whether anything has failed. */
  public boolean hasFailures() {
    return cells.values().stream().anyMatch(cell -> cell.failure != null);
  }

  /** A row of the report; ratios are to the first target. */
  public WorkloadResult row(Workload workload, List<String> targets, Double rate) {
    Cell first = cell(workload, targets.getFirst());
    var results = new ArrayList<TargetResult>();
    for (String target : targets) {
      results.add(result(target, cell(workload, target), workload.unit(), first));
    }
    return new WorkloadResult(
        workload.id(),
        workload.title(),
        workload.standsFor(),
        workload.unit().symbol(),
        workload.unit().isRate(),
        workload.is(Workload.Trait.PACED) ? rate : null,
        results);
  }

  private static TargetResult result(String target, Cell cell, Unit unit, Cell first) {
    if (cell.failure != null || cell.figures.isEmpty()) {
      String skipped =
          cell.failure == null && cell.skipped == null ? "interrupted before" : cell.skipped;
      return new TargetResult(
          target, List.of(), null, null, null, null, null, cell.failure, skipped);
    }
    boolean hasRatio = cell != first && first.failure == null && !first.figures.isEmpty();
    return new TargetResult(
        target,
        List.copyOf(cell.figures),
        Statistics.median(cell.figures),
        Statistics.spread(cell.figures),
        Statistics.interval(cell.figures),
        hasRatio ? Statistics.ratio(unit, cell.figures, first.figures) : null,
        latency(cell.latencies),
        null,
        cell.skipped);
  }

  private static Latency latency(Histogram nanos) {
    if (nanos.getTotalCount() < LATENCIES) {
      return null;
    }
    var curve = new ArrayList<List<Double>>();
    for (HistogramIterationValue value : nanos.percentiles(TICKS)) {
      double percentile = Math.round(value.getPercentileLevelIteratedTo() * 1e5) / 1e5;
      curve.add(List.of(percentile, value.getValueIteratedTo() / 1e3));
    }
    return new Latency(
        nanos.getTotalCount(),
        nanos.getMean() / 1e3,
        nanos.getValueAtPercentile(50) / 1e3,
        nanos.getValueAtPercentile(90) / 1e3,
        nanos.getValueAtPercentile(99) / 1e3,
        nanos.getMaxValue() / 1e3,
        curve);
  }
}
