package dev.hostshare.perf.fsbench;

import java.io.IOException;
import picocli.CommandLine;

/**
 * What a program says when it fails: the reason, in a line. What nobody has foreseen is shown with
 * its stack.
 *
 * @param program its name
 */
public record Failures(String program) implements CommandLine.IExecutionExceptionHandler {
  @Override
  public int handleExecutionException(Exception e, CommandLine line, CommandLine.ParseResult parsed)
      throws Exception {
    if (!(e instanceof IOException)) {
      throw e;
    }
    line.getErr().println(program + ": " + e.getMessage());
    return CommandLine.ExitCode.SOFTWARE;
  }
}
