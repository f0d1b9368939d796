package dev.hostshare.perf.fsbench;

import java.util.Optional;
import picocli.CommandLine;

/** {@code fsbench}. */
@CommandLine.Command(
    name = "fsbench",
    mixinStandardHelpOptions = true,
    versionProvider = Fsbench.Version.class,
    description = "Measures how fast folders are, whatever they lie on, and says why.",
    subcommands = {RunCommand.class, ListCommand.class, CompareCommand.class, DoctorCommand.class},
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:measured, whatever the figures are",
      "1:something failed; the reason is on standard error",
      "2:wrong arguments",
      "130:ended by Ctrl-C; what was measured is kept"
    })
final class Fsbench implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** Runs the program; answers its exit code. */
  static int run(String... args) {
    return new CommandLine(new Fsbench())
        .setOverwrittenOptionsAllowed(true)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(new Failures("fsbench"))
        .execute(args);
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "run, list, compare or doctor?");
  }

  /** Of the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    static String text() {
      return Optional.ofNullable(Fsbench.class.getPackage().getImplementationVersion())
          .orElse("development");
    }

    @Override
    public String[] getVersion() {
      return new String[] {"fsbench " + text()};
    }
  }
}
