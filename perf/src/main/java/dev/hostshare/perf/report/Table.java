package dev.hostshare.perf.report;

import dev.hostshare.perf.measure.Interval;
import dev.hostshare.perf.report.Report.Failure;
import dev.hostshare.perf.report.Report.Latency;
import dev.hostshare.perf.report.Report.TargetResult;
import dev.hostshare.perf.report.Report.WorkloadResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Figures for a reader: the first column to the left, the others to the right. */
public record Table(List<String> header, List<List<String>> rows) {
  /**
   * A row per workload: medians with their spread, then how many times as fast each target is as
   * the first.
   */
  public static Table ofFigures(Report report) {
    List<String> names = report.targets().stream().map(Report.TargetInfo::name).toList();
    var header = new ArrayList<>(List.of("workload", "unit"));
    header.addAll(names);
    names.stream().skip(1).forEach(name -> header.add(name + " / " + names.getFirst()));
    var rows = new ArrayList<List<String>>();
    for (WorkloadResult workload : report.workloads()) {
      var row = new ArrayList<>(List.of(workload.id(), workload.unit()));
      workload.results().forEach(result -> row.add(cell(result)));
      workload.results().stream().skip(1).forEach(result -> row.add(ratio(result.ratio())));
      rows.add(row);
    }
    return new Table(header, rows);
  }

  private static String cell(TargetResult result) {
    return result.median() == null
        ? result.failure() == null ? "-" : "FAILED"
        : figure(result.median()) + " ±" + percent(result.spread());
  }

  /** With its interval. */
  public static String ratio(Interval ratio) {
    return ratio == null
        ? ""
        : ratio.confidence() == 0
            ? figure(ratio.value()) + "x"
            : "%sx [%s, %s]"
                .formatted(figure(ratio.value()), figure(ratio.low()), figure(ratio.high()));
  }

  static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f%%", 100 * share);
  }

  /** A row per workload and target: the operations' latencies. */
  public static Table ofLatencies(Report report) {
    var rows = new ArrayList<List<String>>();
    for (WorkloadResult workload : report.workloads()) {
      for (TargetResult result : workload.results()) {
        Latency latency = result.latency();
        if (latency != null) {
          rows.add(
              List.of(
                  workload.id(),
                  result.target(),
                  figure(latency.p50()),
                  figure(latency.p90()),
                  figure(latency.p99()),
                  figure(latency.max())));
        }
      }
    }
    return new Table(List.of("latency, µs", "target", "p50", "p90", "p99", "max"), rows);
  }

  /** Three digits that count. */
  public static String figure(double figure) {
    int digits = figure >= 99.95 ? 0 : figure >= 9.995 ? 1 : 2;
    return String.format(Locale.ROOT, "%,." + digits + "f", figure);
  }

  /** What was left out and what has failed, a sentence each. */
  public static List<String> remarks(Report report) {
    var remarks = new ArrayList<String>();
    for (WorkloadResult workload : report.workloads()) {
      for (TargetResult result : workload.results()) {
        String who = workload.id() + " on " + result.target();
        if (result.failure() != null) {
          remarks.add(who + " FAILED" + reason(result.failure()));
        } else if (result.skipped() != null && result.median() != null) {
          remarks.add(
              "%s was left out after round %d: %s"
                  .formatted(who, result.figures().size(), result.skipped()));
        } else if (result.skipped() != null) {
          remarks.add(who + " was left out: " + result.skipped());
        }
      }
    }
    return remarks;
  }

  private static String reason(Failure failure) {
    return " in round %d: %s".formatted(failure.round(), failure.message());
  }

  public String toText() {
    int[] widths = new int[header.size()];
    IntStream.range(0, widths.length).forEach(i -> widths[i] = width(i));
    var text = new StringBuilder(textLine(header, widths));
    rows.forEach(row -> text.append(textLine(row, widths)));
    return text.toString();
  }

  private int width(int column) {
    int widest = rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
    return Math.max(widest, header.get(column).length());
  }

  private static String textLine(List<String> cells, int[] widths) {
    var line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String blank = " ".repeat(widths[i] - cells.get(i).length());
      line.append(i == 0 ? cells.get(i) + blank : "  " + blank + cells.get(i));
    }
    return line.toString().stripTrailing() + "\n";
  }

  public String toMarkdown() {
    String ruler = header.stream().map(cell -> "---").collect(Collectors.joining("|", "|", "|\n"));
    return markdownLine(header)
        + ruler
        + rows.stream().map(Table::markdownLine).collect(Collectors.joining());
  }

  private static String markdownLine(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |\n"));
  }
}
