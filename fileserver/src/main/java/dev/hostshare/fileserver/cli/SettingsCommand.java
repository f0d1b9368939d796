package dev.hostshare.fileserver.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/**
 * {@code hostshare settings}. What needs classes of the web is elsewhere: every command has this
 * one loaded.
 */
@Command(
    name = "settings",
    mixinStandardHelpOptions = true,
    description =
        "Shows the file-sharing list, and the guests that use it, in the browser; with the server"
            + " running or not. Runs in the foreground until Ctrl-C. Enter prints a new link.")
final class SettingsCommand implements Callable<Integer> {
  private static final int MAX_PORT = 65535;

  @ParentCommand private HostShareCommand parent;
  @Spec private CommandSpec spec;

  @Option(names = "--no-browser", description = "Print the link only.")
  private boolean noBrowser;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "0",
      description = "The page's port on 127.0.0.1. Default: any that is free.")
  private int port;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (port < 0 || port > MAX_PORT) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--port " + port + " is not from 0 to " + MAX_PORT);
    }
    SettingsProcess.run(parent.state(), port, !noBrowser);
    return CommandLine.ExitCode.OK;
  }
}
