package dev.hostshare.agent.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code hostshare-agent status}. */
@Command(name = "status", description = "Shows the mounts of this machine and how they are.")
final class StatusCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--json", description = "One JSON array, for programs.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    var answers = new StringBuilder();
    for (ProcessHandle process : ControlClient.processes()) {
      answers.append(ControlClient.ask(process, json ? "status json" : "status text").orElse(""));
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      // Each object ends with a comma.
      int end = Math.max(0, answers.length() - 1);
      out.println("[" + answers.substring(0, end) + "]");
    } else {
      out.print(answers.isEmpty() ? "nothing is mounted\n" : answers.toString());
    }
    out.flush();
    return CommandLine.ExitCode.OK;
  }
}
