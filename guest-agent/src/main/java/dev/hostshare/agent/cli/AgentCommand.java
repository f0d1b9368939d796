package dev.hostshare.agent.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code hostshare-agent}: the commands of the guest. */
@Command(
    name = "hostshare-agent",
    description = "Mounts folders that a hostshare file server shares.",
    mixinStandardHelpOptions = true,
    scope = CommandLine.ScopeType.INHERIT,
    versionProvider = AgentCommand.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      MountCommand.class,
      UmountCommand.class,
      StatusCommand.class,
      RunCommand.class,
      DockerPluginCommand.class,
      MountHelperCommand.class
    })
public final class AgentCommand implements Runnable {
  @Spec private CommandSpec spec;

  /** Runs a command and returns its exit code: 0 done, 1 failed, 2 wrong usage. */
  public static int execute(String... args) {
    return new CommandLine(new AgentCommand())
        .setExecutionExceptionHandler(AgentCommand::failed)
        .execute(args);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Missing required subcommand");
  }

  /** What a user can do something about is one line; anything else is a bug and shows where. */
  private static int failed(Exception e, CommandLine command, CommandLine.ParseResult result) {
    if (e instanceof IOException || e instanceof IllegalArgumentException) {
      command.getErr().println("hostshare-agent: " + e.getMessage());
    } else {
      e.printStackTrace(command.getErr());
    }
    return e instanceof IllegalArgumentException
        ? CommandLine.ExitCode.USAGE
        : CommandLine.ExitCode.SOFTWARE;
  }

  /** The version that the build wrote down. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"hostshare-agent " + number()};
    }

    static String number() {
      try (InputStream in = Version.class.getResourceAsStream("version.txt")) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
