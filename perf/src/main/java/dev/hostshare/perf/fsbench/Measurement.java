package dev.hostshare.perf.fsbench;

import dev.hostshare.perf.report.Report;
import dev.hostshare.perf.run.Engine;
import dev.hostshare.perf.run.Plan;
import dev.hostshare.perf.run.Progress;
import java.io.IOException;
import picocli.CommandLine;

/**
 * A plan that was carried out, as far as nobody pressed Ctrl-C.
 *
 * @param exitCode of the command whose plan it was
 */
record Measurement(Report report, int exitCode) {
  /** 128 and SIGINT, as shells have it. */
  private static final int INTERRUPTED = 130;

  /** Carries out a plan, and shows how far it is. */
  static Measurement of(Plan plan) throws IOException {
    try (Progress progress = Progress.onStandardError()) {
      var engine = new Engine(plan, progress, Fsbench.Version.text());
      Report report = engine.run();
      // What an interrupt had to do is done: what follows must be able to write files.
      if (Thread.interrupted()) {
        return new Measurement(report, INTERRUPTED);
      }
      return new Measurement(
          report, engine.isGood() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE);
    }
  }
}
