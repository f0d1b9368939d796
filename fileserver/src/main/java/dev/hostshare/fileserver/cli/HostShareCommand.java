package dev.hostshare.fileserver.cli;

import dev.hostshare.fileserver.rpc.StateFolder;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code hostshare}: the commands of the host side. */
@Command(
    name = "hostshare",
    description = "Shares folders of this machine with Linux VMs.",
    mixinStandardHelpOptions = true,
    versionProvider = HostShareCommand.Version.class,
    subcommands = {
      ServeCommand.class,
      SharesCommand.class,
      SettingsCommand.class,
      OverlayCommand.class,
      StatusCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:it failed; the reason is on standard error", "2:wrong arguments"})
public final class HostShareCommand implements Runnable {
  /** The version in the jar's manifest. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"hostshare " + version()};
    }
  }

  @Spec private CommandSpec spec;

  @Option(
      names = "--state",
      paramLabel = "DIR",
      scope = ScopeType.INHERIT,
      description =
          "The folder with the server's state. Default: hostshare in $$XDG_STATE_HOME, or in"
              + " ~/.local/state.")
  private Path state;

  static String version() {
    String version = HostShareCommand.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  Path state() {
    if (state != null) {
      return state.toAbsolutePath().normalize();
    }
    return StateFolder.defaultPath()
        .orElseThrow(
            () ->
                new CommandLine.ParameterException(
                    spec.commandLine(),
                    "this user has no home folder: name the state folder with --state"));
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
  }

  /** Runs the program and ends it with its exit code. */
  public static void run(String[] args) {
    CommandLine line = new CommandLine(new HostShareCommand());
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          if (!(e instanceof IOException)) {
            throw e;
          }
          command
              .getErr()
              .println(command.getCommandSpec().qualifiedName() + ": " + e.getMessage());
          return CommandLine.ExitCode.SOFTWARE;
        });
    int code = line.execute(args);
    ExitCode.set(code);
    System.exit(code);
  }
}
