package dev.hostshare.perf.report;

import dev.hostshare.perf.machine.Machine;
import dev.hostshare.perf.machine.Mount;
import dev.hostshare.perf.measure.Overhead;
import dev.hostshare.perf.measure.Sample;
import dev.hostshare.perf.report.Report.Failure;
import dev.hostshare.perf.report.Report.TargetInfo;
import dev.hostshare.perf.workload.Catalog;
import dev.hostshare.perf.workload.Workload;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** Reports with given figures. */
public final class Reports {
  private final Results results = new Results();
  private final List<String> targets;
  private final Map<String, Workload> workloads = new LinkedHashMap<>();

  public Reports(String... targets) {
    this.targets = List.of(targets);
  }

  private Workload workload(String id) {
    return workloads.computeIfAbsent(id, i -> Catalog.find(i).orElseThrow());
  }

  /** A figure a round; each operation is a little slower than the one before. */
  public Reports add(String workload, String target, double... figures) {
    for (double figure : figures) {
      var latencies = new Histogram(3);
      for (int i = 1; i <= 200; i++) {
        latencies.recordValue((long) (figure * (900 + i)) + 1);
      }
      results.add(workload(workload), target, new Sample(figure, latencies));
    }
    return this;
  }

  public Reports fail(String workload, String target, String message) {
    results.fail(workload(workload), target, new Failure(2, message, "ENOSPC", "/mnt/x"));
    return this;
  }

  public Reports skip(String workload, String target, String reason) {
    results.skip(workload(workload), target, reason);
    return this;
  }

  public Report report() {
    return new Report(
        Report.VERSION,
        "fsbench",
        "1.2.3",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:14:05Z",
        true,
        new Report.Settings("quick", 5, 1 << 25, 300, 7500, null, "once", 42),
        new Machine("Linux </script> 1", "6.1", "CPU", 2, 1L << 33, "25"),
        new Overhead(25, 100),
        targets.stream()
            .map(
                name ->
                    new TargetInfo(
                        name,
                        "/mnt/" + name,
                        null,
                        null,
                        new Mount("/mnt/" + name, "ext4", "/dev/x", "rw; noatime"),
                        1L << 40,
                        1L << 39))
            .toList(),
        workloads.values().stream().map(w -> results.row(w, targets, null)).toList());
  }
}
