package dev.hostshare.perf.compare;

import static java.util.stream.Collectors.joining;

import dev.hostshare.perf.work.Work;
import java.util.Map;
import java.util.OptionalDouble;

/** The results for a program: every figure of every round, medians, ratios and goals. */
final class Json {
  private final Plan plan;
  private final Results results;

  Json(Plan plan, Results results) {
    this.plan = plan;
    this.results = results;
  }

  /**
   * @param about what was measured on what
   */
  String write(Map<String, String> about) {
    return """
    {
      "about": {%s},
      "rounds": %d,
      "files": %d,
      "bytes": %d,
      "works": [
    %s
      ]
    }
    """
        .formatted(
            about.entrySet().stream()
                .map(entry -> quoted(entry.getKey()) + ": " + quoted(entry.getValue()))
                .collect(joining(", ")),
            plan.rounds(),
            plan.files(),
            plan.size(),
            plan.works().stream().map(this::work).collect(joining(",\n")));
  }

  private String work(Work work) {
    return "    {\"id\": %s, \"unit\": %s, \"figures\": {%s}, \"medians\": {%s}, \"ratios\": [%s]}"
        .formatted(
            quoted(work.id()),
            quoted(work.unit().symbol()),
            plan.targets().stream()
                .map(target -> quoted(target) + ": " + results.rounds(work, target))
                .collect(joining(", ")),
            plan.targets().stream()
                .map(target -> quoted(target) + ": " + results.median(work, target))
                .collect(joining(", ")),
            plan.pairs().stream().map(pair -> ratio(work, pair)).collect(joining(", ")));
  }

  private String ratio(Work work, Plan.Pair pair) {
    double speed = results.speed(work, pair.ours(), pair.peer());
    OptionalDouble goal = pair.goal(work);
    String verdict =
        goal.isEmpty()
            ? ""
            : ", \"goal\": %s, \"met\": %s"
                .formatted(goal.getAsDouble(), Table.isMet(speed, goal.getAsDouble()));
    return "{\"of\": %s, \"to\": %s, \"speed\": %s%s}"
        .formatted(quoted(pair.ours()), quoted(pair.peer()), speed, verdict);
  }

  private static String quoted(String text) {
    var escaped = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        escaped.append('\\').append(c);
      } else if (c < ' ') {
        escaped.append("\\u%04x".formatted((int) c));
      } else {
        escaped.append(c);
      }
    }
    return escaped.append('"').toString();
  }
}
