package dev.hostshare.perf.fsbench;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.perf.report.JsonFile;
import dev.hostshare.perf.workload.Catalog;
import dev.hostshare.perf.workload.Suite;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The program, as its users start it. */
class FsbenchTest {
  @TempDir Path folder;
  private Path target;

  private record Ended(int status, String out, String err) {}

  @BeforeEach
  void makeTarget() throws IOException {
    target = Files.createDirectory(folder.resolve("target"));
  }

  private static ProcessBuilder builder(String... arguments) {
    var line =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    line.addAll(Arrays.asList(arguments));
    return new ProcessBuilder(line);
  }

  private Ended run(String... arguments) throws IOException, InterruptedException {
    var out = Files.createTempFile(folder, "out", "");
    var err = Files.createTempFile(folder, "err", "");
    int status =
        builder(arguments)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start()
            .waitFor();
    return new Ended(status, Files.readString(out), Files.readString(err));
  }

  private void assertNothingLeft() throws IOException {
    try (Stream<Path> left = Files.list(target)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void measuresAndWrites() throws Exception {
    var json = folder.resolve("report.json");
    var html = folder.resolve("report.html");
    var ended =
        run(
            "run",
            "--target=disk=" + target,
            "--suite=create,lock,rand-write",
            "--rounds=2",
            "--size=1M",
            "--json=" + json,
            "--html=" + html);
    assertEquals(0, ended.status(), ended.err());
    assertTrue(ended.out().contains("create"), ended.out());
    assertTrue(ended.out().contains("overhead of the tool"), ended.out());
    assertTrue(ended.err().contains("fsbench: round 2 of 2: rand-write: disk: "), ended.err());
    assertEquals(3, JsonFile.read(json).workloads().size());
    assertTrue(JsonFile.read(json).overhead().timerNanos() > 0);
    assertTrue(Files.readString(html).contains("\"rand-write\""));
    assertNothingLeft();
    // Two equal reports have no difference.
    var compared = run("compare", json.toString(), json.toString());
    assertEquals(0, compared.status(), compared.err());
    assertTrue(compared.out().contains("0 of 3 differences are real."), compared.out());
  }

  /** script(1) gives it one. */
  @Test
  void showsABarOnATerminal() throws Exception {
    var fsbench =
        builder("run", "--target=disk=" + target, "--suite=create", "--rounds=2", "--size=1M");
    var said = folder.resolve("said");
    int status =
        new ProcessBuilder("script", "-qec", String.join(" ", fsbench.command()), "/dev/null")
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start()
            .waitFor();
    var text = Files.readString(said);
    assertEquals(0, status, text);
    assertTrue(text.contains("100%") && text.contains("\r"), text);
    assertFalse(text.contains("fsbench: round"), text);
  }

  @Test
  void ctrlCKeepsWhatWasMeasuredAndRemovesTheFiles() throws Exception {
    assertEndsCleanly("INT", 130);
  }

  @Test
  void sigtermEndsItTheSameWay() throws Exception {
    assertEndsCleanly("TERM", 143);
  }

  /** A terminal sends it to every program in the foreground. */
  @Test
  void ctrlCWhileAProgramRunsIsNoFailureOfIt() throws Exception {
    assertEndsCleanly("INT", 130, "untar,rm", "-");
  }

  private void assertEndsCleanly(String signal, int status) throws Exception {
    assertEndsCleanly(signal, status, "lock,append", "");
  }

  /** With - for {@code to}, the signal is for fsbench and all that is in its process group. */
  private void assertEndsCleanly(String signal, int status, String suite, String to)
      throws Exception {
    var json = folder.resolve("report.json");
    var fsbench =
        builder(
            "run",
            "--target=disk=" + target,
            "--suite=" + suite,
            "--rounds=100000",
            "--size=1M",
            "--json=" + json);
    fsbench.command().addFirst("setsid");
    var process = fsbench.redirectOutput(folder.resolve("out").toFile()).start();
    try (BufferedReader said = process.errorReader(UTF_8)) {
      String line = said.readLine();
      while (!line.startsWith("fsbench: round 3 ")) {
        line = said.readLine();
      }
      new ProcessBuilder("kill", "-" + signal, "--", to + process.pid()).start().waitFor();
      var rest = said.lines().toList();
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      assertEquals(status, process.exitValue(), rest::toString);
      assertTrue(
          rest.stream().anyMatch(s -> s.contains("interrupted: what was measured is kept")),
          rest::toString);
      assertFalse(rest.toString().contains("FAILED"), rest::toString);
    }
    assertNothingLeft();
    var report = JsonFile.read(json);
    assertFalse(report.complete());
    assertTrue(report.workloads().getFirst().results().getFirst().figures().size() >= 2);
  }

  @Test
  void wrongArgumentsGetClearErrors() throws Exception {
    assertRefused("--target is missing", "run");
    assertRefused("it must be NAME=DIR", "run", "--target=" + target);
    assertRefused("not a name: a b", "run", "--target=a b=" + target);
    assertRefused("cold= is empty", "run", "--target=a=" + target + ",cold=");
    assertRefused(
        "peer= must come before cold=",
        "run",
        "--target=a=" + target + ",cold=sync,peer=" + folder);
    assertRefused("--cold is empty", "doctor", "--cold", "", target.toString());
    assertRefused("there is no folder /nowhere", "doctor", "/nowhere");
    assertRefused("the same name", "run", "--target=a=" + target, "--target=a=/tmp");
    var a = "--target=a=" + target;
    assertRefused("no workload dance; suites are quick,", "run", a, "--suite=dance");
    assertRefused("--rounds must be positive: 0", "run", a, "--rounds=0");
    assertRefused("a number of M or G", "run", a, "--size=12");
    assertRefused("multiple of 100", "run", a, "--files=150");
    assertRefused("--rate must be positive", "run", a, "--rate=-1");
    assertRefused("can have a rate", "run", a, "--suite=seq-write", "--rate=10");
    assertRefused("peer=DIR_B", "run", a, "--suite=visible-create");
    assertRefused("there is no folder /nowhere", "run", a, "--json=/nowhere/x.json");
    assertRefused("run, list, compare or doctor?");
  }

  private static void assertRefused(String why, String... arguments) {
    var err = new StringWriter();
    var line = new CommandLine(new Fsbench()).setCaseInsensitiveEnumValuesAllowed(true);
    line.setErr(new PrintWriter(err, true));
    assertEquals(2, line.execute(arguments), err::toString);
    assertTrue(err.toString().contains(why), err::toString);
  }

  @Test
  void aMissingFolderIsTold() throws Exception {
    var ended = run("run", "--target=a=" + folder.resolve("nowhere"));
    assertEquals(1, ended.status());
    assertTrue(
        ended.err().contains("fsbench: a: there is no folder " + folder.resolve("nowhere")),
        ended.err());
  }

  @Test
  void listExplainsEveryWorkload() throws Exception {
    var said = run("list").out();
    var columns = said.lines().filter(line -> line.matches("[* ] [a-z].* {2}.*")).toList();
    int last = columns.getFirst().indexOf("unpacking archives, installing");
    assertEquals(
        Catalog.of(Suite.STANDARD).size() + Catalog.of(Suite.DEVELOPER).size(), columns.size());
    for (var line : columns) {
      assertEquals("  ", line.substring(last - 2, last), line);
      assertNotEquals(' ', line.charAt(last), line);
      assertNotEquals(' ', line.charAt(last - 3), line);
    }
    for (var workload : Catalog.ALL) {
      assertTrue(
          said.lines()
              .anyMatch(
                  line ->
                      line.contains(" " + workload.id() + " ")
                          && line.contains(workload.title())
                          && line.contains(workload.standsFor())),
          workload.id());
    }
  }

  @Test
  void theDoctorSpeaksPlainly() throws Exception {
    var ended = run("doctor", target.toString());
    assertEquals(0, ended.status(), ended.err());
    for (var what : List.of("mount: ", "A round trip costs about", "git status in 10,000 files")) {
      assertTrue(ended.out().contains(what), ended.out());
    }
    assertNothingLeft();
  }

  @Test
  void aRateIsKeptAndNoted() throws Exception {
    var json = folder.resolve("report.json");
    var ended =
        run(
            "run",
            "--target=disk=" + target,
            "--suite=append,create",
            "--rounds=1",
            "--size=1M",
            "--rate=500",
            "--json=" + json);
    assertEquals(0, ended.status(), ended.err());
    var workloads = JsonFile.read(json).workloads();
    assertEquals(null, workloads.get(0).rate());
    assertEquals(500.0, workloads.get(1).rate());
    assertTrue(workloads.get(1).results().getFirst().median() <= 510);
  }
}
