package dev.hostshare.perf.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.perf.report.JsonFile;
import dev.hostshare.perf.report.Reports;
import dev.hostshare.perf.workload.Catalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GoalsTest {
  @TempDir Path folder;

  /** Round 2 of both met a busy machine. */
  private static Reports reports(String... targets) {
    return new Reports(targets)
        .add("create", "hostshare", 200, 400, 210)
        .add("seq-read-cold", "hostshare", 900, 1000, 1100);
  }

  @Test
  void saysWhatIsMet() {
    var report =
        reports("hostshare", "sshfs")
            .add("create", "sshfs", 1000, 2000, 1050)
            .add("seq-read-cold", "sshfs", 300, 250, 275)
            .report();
    assertEquals(
        """
        work                     unit  hostshare  sshfs  hostshare / sshfs
        create + write + close     µs        210  1,050     5.00x met 4.00
        sequential read, cold   MiB/s      1,000    275     4.00x met 4.00
        """,
        new GoalsTable(report, List.of("hostshare")).toTable().toText());
  }

  @Test
  void saysWhatIsNotMet() {
    var report =
        reports("hostshare", "bindfs")
            .add("create", "bindfs", 150, 150, 150)
            .add("seq-read-cold", "bindfs", 400, 400, 400)
            .report();
    var table = new GoalsTable(report, List.of("hostshare")).toTable();
    assertEquals("0.71x NOT MET 1.00", table.rows().getFirst().getLast());
    assertEquals("2.50x met 2.00", table.rows().getLast().getLast());
  }

  @Test
  void comparesBuildsWithoutAGoal() {
    var report = reports("hostshare", "new").add("create", "new", 100, 100, 100).report();
    var table = new GoalsTable(report, List.of("hostshare", "new")).toTable();
    assertEquals("2.10x", table.rows().getFirst().getLast());
    assertEquals("", table.rows().getLast().getLast());
  }

  @Test
  void writesMarkdown() throws IOException {
    var json = folder.resolve("report.json");
    var markdown = folder.resolve("table.md");
    JsonFile.write(reports("hostshare", "sshfs").add("create", "sshfs", 1000).report(), json);
    assertEquals(0, GoalsCommand.run("--markdown=" + markdown, json.toString()));
    assertTrue(
        Files.readString(markdown)
            .contains("| create + write + close | µs | 210 | 1,000 | 5.00x met 4.00 |"));
  }

  @Test
  void everyGoalBelongsToAWorkload() {
    for (var id : Goals.workloads()) {
      assertTrue(Catalog.find(id).isPresent(), id);
    }
  }
}
