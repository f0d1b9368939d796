package dev.hostshare.perf.report;

import static java.util.stream.Collectors.toMap;

import dev.hostshare.perf.measure.RankTest;
import dev.hostshare.perf.measure.Unit;
import dev.hostshare.perf.report.Report.TargetInfo;
import dev.hostshare.perf.report.Report.TargetResult;
import dev.hostshare.perf.report.Report.WorkloadResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Two reports: which differences are real? Each workload of a target is put to a rank test between
 * the rounds of the one and of the other. A difference is called real where chance would make one
 * like it in fewer than one of a hundred workloads.
 *
 * @param rows one for each workload that both have
 * @param remarks what makes the reports unlike each other, and what only one has
 */
public record Comparison(List<Row> rows, List<String> remarks) {
  /** Below this, a difference is real. With five rounds each, 0.008 is the least there is. */
  public static final double SIGNIFICANT = 0.01;

  private static final int ROUNDS_NEEDED = 5;

  /** What the test says. */
  public enum Verdict {
    FASTER("faster"),
    SLOWER("slower"),
    NOT_SHOWN("no difference shown");

    private final String words;

    Verdict(String words) {
      this.words = words;
    }

    public String words() {
      return words;
    }
  }

  /**
   * A workload on a target.
   *
   * @param before and after: medians
   * @param test how many times as fast it is afterwards, and how likely chance is
   */
  public record Row(
      String workload,
      String target,
      String unit,
      double before,
      double after,
      RankTest test,
      Verdict verdict) {}

  /** Targets with the same name belong together; so do those of reports with one target each. */
  public static Comparison of(Report before, Report after) {
    var rows = new ArrayList<Row>();
    var remarks = new ArrayList<>(unlike(before, after));
    Map<String, WorkloadResult> byId =
        before.workloads().stream().collect(toMap(WorkloadResult::id, Function.identity()));
    boolean hasOneEach = before.targets().size() == 1 && after.targets().size() == 1;
    if (!hasOneEach) {
      remarks.addAll(onlyIn("first", before, after));
      remarks.addAll(onlyIn("second", after, before));
    }
    for (WorkloadResult now : after.workloads()) {
      WorkloadResult then = byId.remove(now.id());
      if (then == null) {
        remarks.add(now.id() + " is in the second report only");
        continue;
      }
      for (TargetResult result : now.results()) {
        then.results().stream()
            .filter(r -> hasOneEach || r.target().equals(result.target()))
            .findFirst()
            .ifPresent(was -> compare(now, was, result, rows, remarks));
      }
    }
    byId.keySet().forEach(id -> remarks.add(id + " is in the first report only"));
    if (rows.stream().anyMatch(row -> row.test.ratio().confidence() < 0.99)) {
      remarks.add(
          "fewer than %d rounds cannot show a difference: measure with --rounds %d or more"
              .formatted(ROUNDS_NEEDED, ROUNDS_NEEDED));
    }
    return new Comparison(rows, remarks);
  }

  private static List<String> onlyIn(String which, Report one, Report other) {
    List<String> others = names(other);
    return names(one).stream()
        .filter(name -> !others.contains(name))
        .map(name -> "target %s is in the %s report only".formatted(name, which))
        .toList();
  }

  private static List<String> names(Report report) {
    return report.targets().stream().map(TargetInfo::name).toList();
  }

  private static void compare(
      WorkloadResult workload,
      TargetResult before,
      TargetResult after,
      List<Row> rows,
      List<String> remarks) {
    if (before.median() == null || after.median() == null) {
      remarks.add(
          "%s on %s has no figure in %s report"
              .formatted(
                  workload.id(),
                  after.target(),
                  before.median() != null
                      ? "the second"
                      : after.median() != null ? "the first" : "either"));
      return;
    }
    RankTest test = RankTest.of(Unit.of(workload.unit()), after.figures(), before.figures());
    Verdict verdict =
        test.probability() >= SIGNIFICANT
            ? Verdict.NOT_SHOWN
            : test.ratio().value() > 1 ? Verdict.FASTER : Verdict.SLOWER;
    rows.add(
        new Row(
            workload.id(),
            after.target(),
            workload.unit(),
            before.median(),
            after.median(),
            test,
            verdict));
  }

  private static List<String> unlike(Report before, Report after) {
    var remarks = new ArrayList<String>();
    if (!before.machine().equals(after.machine())) {
      remarks.add("the machines differ: a difference may be theirs");
    }
    var a = before.settings();
    var b = after.settings();
    if (a.bytes() != b.bytes() || a.files() != b.files() || a.crowd() != b.crowd()) {
      remarks.add("the sizes differ: figures may differ for that alone");
    }
    if (!a.practice().equals(b.practice()) || !Objects.equals(a.rate(), b.rate())) {
      remarks.add("--practice or --rate differ: figures may differ for that alone");
    }
    for (TargetInfo target : after.targets()) {
      before.targets().stream()
          .filter(t -> t.name().equals(target.name()))
          .filter(t -> !t.mount().type().equals(target.mount().type()))
          .forEach(
              t ->
                  remarks.add(
                      "%s is on %s now, and was on %s"
                          .formatted(t.name(), target.mount().type(), t.mount().type())));
    }
    return remarks;
  }

  /** For a reader. */
  public Table toTable() {
    return new Table(
        List.of("workload", "target", "unit", "A", "B", "B / A", "p", "B is"),
        rows.stream()
            .map(
                row ->
                    List.of(
                        row.workload,
                        row.target,
                        row.unit,
                        Table.figure(row.before),
                        Table.figure(row.after),
                        Table.ratio(row.test.ratio()),
                        String.format(Locale.ROOT, "%.3f", row.test.probability()),
                        row.verdict.words()))
            .toList());
  }
}
