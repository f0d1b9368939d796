package dev.hostshare.perf.doctor;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.perf.report.Reports;
import java.util.List;
import org.junit.jupiter.api.Test;

class FindingsTest {
  private static List<String> findings(double warm, double later, double missing, double create) {
    var report =
        new Reports("mount")
            .add("stat-warm", "mount", warm)
            .add("stat-later", "mount", later)
            .add("stat-missing", "mount", missing)
            .add("create", "mount", create)
            .skip("stat-cold", "mount", "not root")
            .report();
    return new Findings(Examination.of(report)).lines();
  }

  private static void assertSaid(List<String> lines, String what) {
    assertTrue(lines.stream().anyMatch(line -> line.contains(what)), lines::toString);
  }

  @Test
  void aLocalDiskIsFine() {
    var lines = findings(2, 2, 4, 25);
    assertSaid(lines, "the kernel answers by itself");
    assertSaid(lines, "are kept by the kernel");
  }

  @Test
  void nothingIsSlowWhereEverythingWasMeasured() {
    var reports = new Reports("mount");
    for (var workload : Examination.WORKLOADS) {
      reports.add(workload.id(), "mount", workload.unit().isRate() ? 10_000 : 2);
    }
    var lines = new Findings(Examination.of(reports.report())).lines();
    assertSaid(lines, "Nothing is slow: nothing takes 5 times as long as on a usual local disk.");
    assertFalse(lines.toString().contains("Not known"), lines::toString);
  }

  @Test
  void whatWasNotMeasuredIsNotCalledFast() {
    var lines = findings(2, 2, 4, 25);
    assertSaid(lines, "Nothing that was measured is slow");
    assertSaid(lines, "Not known, since not measured: stat, cold; open + read + close, cold; ");
    assertFalse(lines.toString().contains("Nothing is slow"), lines::toString);
  }

  @Test
  void nothingIsClaimedWhereNothingWasMeasured() {
    var reports = new Reports("mount");
    for (var workload : Examination.WORKLOADS) {
      reports.fail(workload.id(), "mount", "open /mnt/x: Input/output error (EIO)");
    }
    var lines = new Findings(Examination.of(reports.report())).lines();
    assertSaid(lines, "Whether anything is slow is not known: nothing was measured.");
    assertSaid(lines, "FAILED: open /mnt/x");
    assertFalse(lines.toString().contains("Nothing "), lines::toString);
    assertFalse(lines.toString().contains("feels like"), lines::toString);
  }

  @Test
  void aCacheThatForgetsIsTold() {
    var lines = findings(2, 190, 200, 700);
    assertSaid(lines, "but for no longer than 2 s");
    assertSaid(lines, "by a network");
    assertSaid(lines, "slow: create + write + close takes 23.3 times as long");
    // 30,000 files of 700 µs.
    assertSaid(lines, "21.0 s: one goes for a coffee");
    assertSaid(lines, "not measured: not root");
  }

  @Test
  void noCacheIsTold() {
    var lines = findings(180, 190, 200, 700);
    assertSaid(lines, "every stat asks again");
    assertFalse(lines.toString().contains("Nothing is slow"));
  }
}
