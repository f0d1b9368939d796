package dev.hostshare.perf.fsbench;

import dev.hostshare.perf.report.Report;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What stands above the table. */
final class Summary {
  private final Report report;

  Summary(Report report) {
    this.report = report;
  }

  List<String> lines() {
    var lines = new ArrayList<String>();
    var machine = report.machine();
    lines.add(
        "machine: %s, Linux %s, %d processors (%s), %d MiB of memory"
            .formatted(
                machine.system(),
                machine.kernel(),
                machine.processors(),
                machine.processor(),
                machine.memory() >> 20));
    for (Report.TargetInfo target : report.targets()) {
      lines.add(
          "%s: %s, %s on %s (%s)"
              .formatted(
                  target.name(),
                  target.folder(),
                  target.mount().type(),
                  target.mount().source(),
                  target.mount().options()));
    }
    var settings = report.settings();
    lines.add(
        "%s: %d rounds%s; a file of %d MiB, %,d files of 4 KiB, a folder of %,d; practice: %s%s"
            .formatted(
                settings.suite(),
                settings.rounds(),
                report.complete() ? "" : ", INTERRUPTED",
                settings.bytes() >> 20,
                settings.files(),
                settings.crowd(),
                settings.practice(),
                settings.rate() == null
                    ? ""
                    : "; %s operations per second".formatted(settings.rate())));
    lines.add(
        String.format(
            Locale.ROOT,
            "overhead of the tool: %.0f ns an operation for the clock, %.0f ns a system call with the kernel's part",
            report.overhead().timerNanos(),
            report.overhead().callNanos()));
    lines.add(
        "±: half the way from the smallest to the largest round. a / b: how many times as fast a is as b"
            + confidence());
    return lines;
  }

  private String confidence() {
    return report.workloads().stream()
        .flatMap(workload -> workload.results().stream())
        .filter(result -> result.ratio() != null && result.ratio().confidence() > 0)
        .mapToDouble(result -> result.ratio().confidence())
        .min()
        .stream()
        .mapToObj(c -> String.format(Locale.ROOT, ", [its interval of %.0f %%]", 100 * c))
        .findFirst()
        .orElse("");
  }
}
