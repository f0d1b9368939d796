package dev.hostshare.perf.fsbench;

import dev.hostshare.perf.report.Comparison;
import dev.hostshare.perf.report.JsonFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Parameters;

/** {@code fsbench compare}. */
@CommandLine.Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description = {
      "Says which differences between two runs are real.",
      "A difference is called real where chance would make one like it in fewer than one of a"
          + " hundred workloads (Mann-Whitney test, exact, between the rounds of both)."
    })
final class CompareCommand implements Callable<Integer> {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(index = "0", paramLabel = "A.json", description = "Before.")
  private Path before;

  @Parameters(index = "1", paramLabel = "B.json", description = "After.")
  private Path after;

  @Override
  public Integer call() throws IOException {
    Comparison comparison = Comparison.of(JsonFile.read(before), JsonFile.read(after));
    if (comparison.rows().isEmpty()) {
      throw new IOException(
          "%s and %s have no workload on a target of the same name with figures in both"
              .formatted(before, after));
    }
    var out = spec.commandLine().getOut();
    out.print(comparison.toTable().toText());
    out.println();
    out.println(
        "B / A: how many times as fast B is, [its interval of 99 %, as far as the rounds allow]");
    long real =
        comparison.rows().stream().filter(r -> r.verdict() != Comparison.Verdict.NOT_SHOWN).count();
    out.printf("%d of %d differences are real.%n", real, comparison.rows().size());
    out.flush();
    comparison
        .remarks()
        .forEach(remark -> spec.commandLine().getErr().println("fsbench: " + remark));
    return CommandLine.ExitCode.OK;
  }
}
