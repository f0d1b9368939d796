package dev.hostshare.perf.doctor;

import dev.hostshare.perf.machine.Mount;
import dev.hostshare.perf.report.Report;
import dev.hostshare.perf.report.Report.TargetResult;
import dev.hostshare.perf.workload.Catalog;
import dev.hostshare.perf.workload.Workload;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What was measured of one mount. */
public final class Examination {
  /** The workloads that an examination takes. */
  public static final List<Workload> WORKLOADS =
      Stream.of(
              "create",
              "stat-cold",
              "stat-warm",
              "stat-later",
              "stat-missing",
              "open-cold",
              "open-warm",
              "unlink",
              "seq-write",
              "seq-read-cold",
              "seq-read-warm",
              "rand-write-fsync")
          .map(id -> Catalog.find(id).orElseThrow())
          .toList();

  private final Mount mount;
  private final Map<String, TargetResult> results;

  private Examination(Mount mount, Map<String, TargetResult> results) {
    this.mount = mount;
    this.results = results;
  }

  /** Of a run with one target. */
  public static Examination of(Report report) {
    return new Examination(
        report.targets().getFirst().mount(),
        report.workloads().stream()
            .collect(
                Collectors.toMap(
                    Report.WorkloadResult::id, workload -> workload.results().getFirst())));
  }

  Mount mount() {
    return mount;
  }

  /** A workload's figure in its unit, if there is one. */
  OptionalDouble figure(String id) {
    TargetResult result = results.get(id);
    return result == null || result.median() == null
        ? OptionalDouble.empty()
        : OptionalDouble.of(result.median());
  }

  /** Why there is none. */
  Optional<String> reason(String id) {
    TargetResult result = results.get(id);
    if (result == null || result.median() != null) {
      return Optional.empty();
    }
    return Optional.of(
        result.failure() != null
            ? "FAILED: " + result.failure().message()
            : "not measured: " + result.skipped());
  }
}
