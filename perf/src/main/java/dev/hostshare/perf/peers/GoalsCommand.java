package dev.hostshare.perf.peers;

import dev.hostshare.perf.fsbench.Failures;
import dev.hostshare.perf.report.JsonFile;
import dev.hostshare.perf.report.Report;
import dev.hostshare.perf.report.Report.TargetInfo;
import dev.hostshare.perf.report.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code perf/peers/goals}. */
@CommandLine.Command(
    name = "goals",
    mixinStandardHelpOptions = true,
    description = "Says how hostshare stands beside its peers in a report, and what is aimed at.")
public final class GoalsCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(index = "0", paramLabel = "REPORT.json")
  private Path json;

  @Option(
      names = "--of",
      paramLabel = "NAME",
      split = ",",
      defaultValue = "hostshare",
      description = "The targets that are installations of hostshare. Default: ${DEFAULT-VALUE}.")
  private List<String> builds;

  @Option(names = "--markdown", paramLabel = "FILE", description = "Also write the table there.")
  private Path markdown;

  /** Runs the program. */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  static int run(String... args) {
    return new CommandLine(new GoalsCommand())
        .setExecutionExceptionHandler(new Failures("goals"))
        .execute(args);
  }

  @Override
  public Integer call() throws IOException {
    Report report = JsonFile.read(json);
    List<String> targets = report.targets().stream().map(TargetInfo::name).toList();
    List<String> there = builds.stream().filter(targets::contains).toList();
    Table table = new GoalsTable(report, there).toTable();
    String legend =
        "a / b: how many times as fast a is as b, the median over %d rounds, and the goal."
            .formatted(report.settings().rounds());
    var out = spec.commandLine().getOut();
    out.printf("%s%n%n%s", legend, table.toText());
    out.flush();
    if (markdown != null) {
      Files.writeString(markdown, legend + "\n\n" + table.toMarkdown());
    }
    return CommandLine.ExitCode.OK;
  }
}
