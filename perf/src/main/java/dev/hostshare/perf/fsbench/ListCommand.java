package dev.hostshare.perf.fsbench;

import com.google.common.base.Strings;
import dev.hostshare.perf.workload.Catalog;
import dev.hostshare.perf.workload.Suite;
import dev.hostshare.perf.workload.Workload;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine;

/** {@code fsbench list}. */
@CommandLine.Command(
    name = "list",
    mixinStandardHelpOptions = true,
    description =
        "Explains each workload in a line: what it does, in which unit, what it stands for.")
final class ListCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    var out = spec.commandLine().getOut();
    for (Suite suite : Suite.values()) {
      out.printf(
          "%s suite (%d rounds, --size %dM)%s%n",
          suite.name().toLowerCase(Locale.ROOT),
          suite.rounds(),
          suite.size() >> 20,
          suite == Suite.QUICK ? ": those marked *" : "");
      if (suite != Suite.QUICK) {
        Catalog.of(suite).forEach(workload -> out.println(line(workload)));
        out.println();
      }
    }
    out.println(
        "µs: per file or operation, less is better. cold: nothing is cached; warm: done once before.");
    return CommandLine.ExitCode.OK;
  }

  /** As wide as the widest of all. */
  private static String padded(Workload workload, Function<Workload, String> column) {
    int width = Catalog.ALL.stream().map(column).mapToInt(String::length).max().orElseThrow();
    return Strings.padEnd(column.apply(workload), width, ' ');
  }

  private static String line(Workload workload) {
    String traits =
        workload.traits().stream()
            .filter(trait -> trait != Workload.Trait.UNPRACTISED)
            .map(trait -> trait == Workload.Trait.PACED ? "takes --rate" : "needs peer=")
            .collect(Collectors.joining("; "));
    return "%s %s %s %6s  %s%s"
        .formatted(
            workload.suites().contains(Suite.QUICK) ? "*" : " ",
            padded(workload, Workload::id),
            padded(workload, Workload::title),
            workload.unit().symbol(),
            workload.standsFor(),
            traits.isEmpty() ? "" : " (" + traits + ")");
  }
}
