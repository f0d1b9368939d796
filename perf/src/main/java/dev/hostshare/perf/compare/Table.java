package dev.hostshare.perf.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The results for a reader: a row per work, a column per target, a column per comparison. */
record Table(List<String> header, List<List<String>> rows) {
  static Table of(Plan plan, Results results) {
    var header = new ArrayList<>(List.of("work", "unit"));
    header.addAll(plan.targets());
    plan.pairs().forEach(pair -> header.add(pair.ours() + " / " + pair.peer()));
    var rows = new ArrayList<List<String>>();
    for (var work : plan.works()) {
      var row = new ArrayList<>(List.of(work.title(), work.unit().symbol()));
      plan.targets().forEach(target -> row.add(figure(results.median(work, target))));
      for (var pair : plan.pairs()) {
        double speed = results.speed(work, pair.ours(), pair.peer());
        row.add(verdict(speed, pair.goal(work)));
      }
      rows.add(row);
    }
    return new Table(header, rows);
  }

  /** Three digits that count. */
  static String figure(double figure) {
    int digits = figure >= 99.95 ? 0 : figure >= 9.995 ? 1 : 2;
    return String.format(Locale.ROOT, "%,." + digits + "f", figure);
  }

  private static String verdict(double speed, OptionalDouble goal) {
    String ratio = figure(speed) + "x";
    return goal.isEmpty()
        ? ratio
        : ratio
            + (isMet(speed, goal.getAsDouble()) ? " met " : " NOT MET ")
            + figure(goal.getAsDouble());
  }

  static boolean isMet(double speed, double goal) {
    return speed >= goal;
  }

  String toText() {
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

  /** Titles to the left, figures to the right. */
  private static String textLine(List<String> cells, int[] widths) {
    var line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String blank = " ".repeat(widths[i] - cells.get(i).length());
      line.append(i == 0 ? cells.get(i) + blank : "  " + blank + cells.get(i));
    }
    return line.toString().stripTrailing() + "\n";
  }

  String toMarkdown() {
    String ruler = header.stream().map(cell -> "---").collect(Collectors.joining("|", "|", "|\n"));
    return markdownLine(header)
        + ruler
        + rows.stream().map(Table::markdownLine).collect(Collectors.joining());
  }

  private static String markdownLine(List<String> cells) {
    return cells.stream().collect(Collectors.joining(" | ", "| ", " |\n"));
  }
}
