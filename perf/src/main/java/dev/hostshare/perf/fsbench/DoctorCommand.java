package dev.hostshare.perf.fsbench;

import dev.hostshare.perf.doctor.Examination;
import dev.hostshare.perf.doctor.Findings;
import dev.hostshare.perf.run.Plan;
import dev.hostshare.perf.run.Practice;
import dev.hostshare.perf.run.TargetSpec;
import dev.hostshare.perf.workload.Scale;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code fsbench doctor}. */
@CommandLine.Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Looks at one mount: what it is, what it keeps, what a round trip costs, what is slow, and what"
          + " that will feel like.",
      "In the folder one folder of its own is made, and removed in the end."
    })
final class DoctorCommand implements Callable<Integer> {
  private static final int ROUNDS = 3;

  /** Enough to tell, and soon done even where a file takes a millisecond. */
  private static final Scale SCALE = Scale.of(16 * Scale.MIB, 400);

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "Any folder of the mount.")
  private Path folder;

  @Option(
      names = "--cold",
      paramLabel = "COMMAND",
      description =
          "Run by sh, makes the caches cold, by a remount for example. Without it, root drops the"
              + " caches of this machine's kernel.")
  private String cold;

  @Override
  public Integer call() throws IOException {
    check(!Files.notExists(folder), "there is no folder " + folder);
    check(cold == null || !cold.isBlank(), "--cold is empty");
    var target =
        new TargetSpec(
            "mount",
            folder.toAbsolutePath().normalize(),
            Optional.empty(),
            Optional.ofNullable(cold));
    var plan =
        new Plan(
            List.of(target),
            "doctor",
            Examination.WORKLOADS,
            ROUNDS,
            SCALE,
            OptionalDouble.empty(),
            Practice.ONCE,
            Path.of(System.getProperty("java.io.tmpdir")));
    Measurement measured = Measurement.of(plan);
    var out = spec.commandLine().getOut();
    new Findings(Examination.of(measured.report())).lines().forEach(out::println);
    out.flush();
    return measured.exitCode();
  }

  private void check(boolean condition, String otherwise) {
    if (!condition) {
      throw new CommandLine.ParameterException(spec.commandLine(), otherwise);
    }
  }
}
