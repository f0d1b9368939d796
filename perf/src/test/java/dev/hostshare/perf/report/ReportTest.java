package dev.hostshare.perf.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.hostshare.perf.report.Comparison.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  @TempDir Path folder;

  private static Reports reports() {
    return new Reports("native", "shared")
        .add("create", "native", 20, 22, 21)
        .add("create", "shared", 200, 231, 210)
        .add("seq-write", "native", 400, 410, 420)
        .fail("seq-write", "shared", "write /mnt/x: No space left on device (ENOSPC)")
        .skip("untar", "native", "tar is not installed")
        .skip("untar", "shared", "tar is not installed");
  }

  @Test
  void theTableHasMediansSpreadAndRatios() {
    assertEquals(
        """
        workload    unit     native    shared      shared / native
        create        µs  21.0 ±5%  210 ±7%  0.10x [0.10, 0.10]
        seq-write  MiB/s   410 ±2%   FAILED
        untar          s         -        -
        """
            .replaceAll(" +", " "),
        Table.ofFigures(reports().report()).toText().replaceAll(" +", " "));
  }

  @Test
  void failuresAreTold() {
    assertEquals(
        "seq-write on shared FAILED in round 2: write /mnt/x: No space left on device (ENOSPC)",
        Table.remarks(reports().report()).getFirst());
  }

  @Test
  void whatIsLeftOutInALaterRoundIsTold() {
    var report =
        new Reports("a").add("create", "a", 20, 21).skip("create", "a", "git has gone").report();
    var result = report.workloads().getFirst().results().getFirst();
    assertEquals(2, result.figures().size());
    assertEquals("git has gone", result.skipped());
    assertEquals(
        List.of("create on a was left out after round 2: git has gone"), Table.remarks(report));
  }

  @Test
  void figuresHaveThreeDigits() {
    assertEquals("1.60", Table.figure(1.6));
    assertEquals("26.0", Table.figure(26.04));
    assertEquals("100", Table.figure(99.97));
    assertEquals("13,950", Table.figure(13_950.4));
  }

  @Test
  void jsonIsReadAsItWasWritten() throws IOException {
    var file = folder.resolve("report.json");
    JsonFile.write(reports().report(), file);
    assertEquals(reports().report(), JsonFile.read(file));
  }

  /** Whoever adds a field adds it to the manual, too. */
  @Test
  void everyFieldIsInTheManual() throws IOException {
    var manual = Files.readString(Path.of("../docs/fsbench.md"));
    var file = folder.resolve("report.json");
    JsonFile.write(reports().report(), file);
    var names = new TreeSet<String>();
    collect(JsonParser.parseString(Files.readString(file)), names);
    for (var name : names) {
      assertTrue(manual.contains("`" + name + "`"), name + " is not in docs/fsbench.md");
    }
  }

  private static void collect(JsonElement element, Set<String> names) {
    if (element instanceof JsonObject object) {
      object
          .entrySet()
          .forEach(
              entry -> {
                names.add(entry.getKey());
                collect(entry.getValue(), names);
              });
    } else if (element.isJsonArray()) {
      element.getAsJsonArray().forEach(one -> collect(one, names));
    }
  }

  @Test
  void otherVersionsAndOtherFilesAreRefused() throws IOException {
    var file = folder.resolve("report.json");
    Files.writeString(file, "{\"schemaVersion\": 99, \"workloads\": []}");
    assertTrue(message(file).contains("has schema version 99; this fsbench reads version 1"));
    Files.writeString(file, "{\"a\": 1}");
    assertTrue(message(file).contains("is not a report of fsbench"));
    Files.writeString(file, "hello");
    assertTrue(message(file).contains("is not a report of fsbench"));
    assertTrue(message(folder.resolve("no")).contains("there is no file"));
  }

  @Test
  void aReportWithoutAFieldIsRefusedByName() throws IOException {
    var file = folder.resolve("report.json");
    JsonFile.write(reports().report(), file);
    var whole = Files.readString(file);
    assertMissing(file, whole.replaceFirst("\"machine\":", "\"other\":"), "machine");
    assertMissing(file, whole.replaceFirst("\"rounds\":", "\"other\":"), "settings.rounds");
    assertMissing(file, whole.replaceFirst("\"type\":", "\"other\":"), "targets[0].mount.type");
    assertMissing(
        file, whole.replaceFirst("\"figures\":", "\"other\":"), "workloads[0].results[0].figures");
    assertMissing(file, "{\"schemaVersion\": 1, \"workloads\": []}", "tool");
  }

  private static void assertMissing(Path file, String text, String field) throws IOException {
    Files.writeString(file, text);
    assertEquals("%s is not a whole report: %s is missing".formatted(file, field), message(file));
  }

  private static String message(Path file) {
    return assertThrows(IOException.class, () -> JsonFile.read(file)).getMessage();
  }

  @Test
  void realDifferencesAreToldFromOthers() {
    var before =
        new Reports("a")
            .add("create", "a", 20, 21, 22, 23, 24)
            .add("chmod", "a", 3, 4, 5, 6, 7)
            .add("seq-write", "a", 100, 101, 102, 103, 104)
            .report();
    var after =
        new Reports("a")
            .add("create", "a", 10, 11, 12, 13, 14)
            .add("chmod", "a", 4, 3.5, 4.5, 6.5, 5.5)
            .add("seq-write", "a", 50, 51, 52, 53, 54)
            .report();
    var rows = Comparison.of(before, after).rows();
    assertEquals(Verdict.FASTER, rows.get(0).verdict());
    assertEquals(Verdict.NOT_SHOWN, rows.get(1).verdict());
    assertEquals(Verdict.SLOWER, rows.get(2).verdict());
    assertTrue(Comparison.of(before, after).toTable().toText().contains("no difference shown"));
  }

  @Test
  void targetsOfOneReportAloneAreTold() {
    var before =
        new Reports("a", "b").add("create", "a", 20, 21).add("create", "b", 30, 31).report();
    var after =
        new Reports("a", "c").add("create", "a", 20, 21).add("create", "c", 30, 31).report();
    var comparison = Comparison.of(before, after);
    assertEquals(1, comparison.rows().size());
    assertEquals(
        List.of("target b is in the first report only", "target c is in the second report only"),
        comparison.remarks().subList(0, 2));
  }

  @Test
  void threeRoundsCannotShowADifference() {
    var before = new Reports("a").add("create", "a", 20, 21, 22).report();
    var after = new Reports("a").add("create", "a", 1, 2, 3).report();
    var comparison = Comparison.of(before, after);
    assertEquals(Verdict.NOT_SHOWN, comparison.rows().getFirst().verdict());
    assertTrue(comparison.remarks().getFirst().contains("--rounds 5"));
  }
}
