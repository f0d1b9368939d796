package dev.hostshare.perf.peers;

import dev.hostshare.perf.measure.Statistics;
import dev.hostshare.perf.measure.Unit;
import dev.hostshare.perf.report.Report;
import dev.hostshare.perf.report.Report.TargetInfo;
import dev.hostshare.perf.report.Report.TargetResult;
import dev.hostshare.perf.report.Report.WorkloadResult;
import dev.hostshare.perf.report.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** Installations of hostshare beside their peers, and beside those named before them. */
final class GoalsTable {
  private record Pair(String ours, String peer) {}

  private final Report report;
  private final List<String> builds;

  /**
   * @param builds the targets that are installations of hostshare
   */
  GoalsTable(Report report, List<String> builds) {
    this.report = report;
    this.builds = builds;
  }

  /** A row per workload, a column per target, a column per comparison. */
  Table toTable() {
    List<String> targets = report.targets().stream().map(TargetInfo::name).toList();
    var header = new ArrayList<>(List.of("work", "unit"));
    header.addAll(targets);
    pairs(targets).forEach(pair -> header.add(pair.ours + " / " + pair.peer));
    var rows = new ArrayList<List<String>>();
    for (WorkloadResult workload : report.workloads()) {
      var row = new ArrayList<>(List.of(workload.title(), workload.unit()));
      workload.results().forEach(result -> row.add(figure(result)));
      pairs(targets).forEach(pair -> row.add(verdict(workload, pair)));
      rows.add(row);
    }
    return new Table(header, rows);
  }

  private List<Pair> pairs(List<String> targets) {
    var pairs = new ArrayList<Pair>();
    for (int i = 0; i < builds.size(); i++) {
      String build = builds.get(i);
      targets.stream()
          .filter(target -> !builds.contains(target))
          .forEach(peer -> pairs.add(new Pair(build, peer)));
      builds.subList(0, i).forEach(earlier -> pairs.add(new Pair(build, earlier)));
    }
    return pairs;
  }

  private static String figure(TargetResult result) {
    return result.median() == null
        ? result.failure() == null ? "" : "FAILED"
        : Table.figure(result.median());
  }

  private static List<Double> figures(WorkloadResult workload, String target) {
    return workload.results().stream()
        .filter(result -> result.target().equals(target))
        .findFirst()
        .orElseThrow()
        .figures();
  }

  private static String verdict(WorkloadResult workload, Pair pair) {
    List<Double> ours = figures(workload, pair.ours);
    List<Double> theirs = figures(workload, pair.peer);
    if (ours.isEmpty() || theirs.isEmpty()) {
      return "";
    }
    double speed = Statistics.ratio(Unit.of(workload.unit()), ours, theirs).value();
    OptionalDouble goal = Goals.of(workload.id(), pair.peer);
    String ratio = Table.figure(speed) + "x";
    return goal.isEmpty()
        ? ratio
        : ratio
            + (speed >= goal.getAsDouble() ? " met " : " NOT MET ")
            + Table.figure(goal.getAsDouble());
  }
}
