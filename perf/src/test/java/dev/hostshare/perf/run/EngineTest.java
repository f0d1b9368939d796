package dev.hostshare.perf.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.collect.ImmutableSet;
import dev.hostshare.perf.measure.Unit;
import dev.hostshare.perf.report.Report;
import dev.hostshare.perf.report.Report.TargetResult;
import dev.hostshare.perf.sys.Command;
import dev.hostshare.perf.workload.Catalog;
import dev.hostshare.perf.workload.Footprint;
import dev.hostshare.perf.workload.Material;
import dev.hostshare.perf.workload.Scale;
import dev.hostshare.perf.workload.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineTest {
  private static final Scale SMALL = new Scale(Scale.MIB, 100, 100);

  @TempDir Path folder;
  private Path one;
  private Path two;
  private final List<String> said = new ArrayList<>();

  @BeforeEach
  void makeFolders() throws IOException {
    one = Files.createDirectory(folder.resolve("one"));
    two = Files.createDirectory(folder.resolve("two"));
  }

  private Plan plan(int rounds, List<String> workloads, String... targets) {
    List<Workload> chosen = workloads.stream().map(w -> Catalog.find(w).orElseThrow()).toList();
    return new Plan(
        Stream.of(targets).map(TargetSpec::parse).toList(),
        "test",
        chosen,
        rounds,
        SMALL,
        OptionalDouble.empty(),
        Practice.ONCE,
        folder);
  }

  private Report run(Plan plan) throws IOException {
    return new Engine(plan, new Memory(), "test").run();
  }

  private static TargetResult result(Report report, String workload, String target) {
    return report.workloads().stream()
        .filter(w -> w.id().equals(workload))
        .flatMap(w -> w.results().stream())
        .filter(r -> r.target().equals(target))
        .findFirst()
        .orElseThrow();
  }

  private static void assumeRoot() throws IOException {
    assumeTrue((int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0, "not root");
  }

  private static void assumeFuse() throws IOException {
    assumeRoot();
    assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "no /dev/fuse");
  }

  /** Keeps what is said. */
  private final class Memory implements Progress {
    @Override
    public void start(int steps) {}

    @Override
    public void begin(String what) {}

    @Override
    public void step(String what) {
      said.add(what);
    }

    @Override
    public void tell(String sentence) {
      said.add(sentence);
    }

    @Override
    public void close() {}
  }

  @Test
  void targetsTakeTurnsAndNothingIsLeft() throws IOException {
    var report = run(plan(2, List.of("create", "lock"), "a=" + one, "b=" + two));
    assertTrue(report.complete());
    var turns = said.stream().map(s -> s.replaceFirst("(.*): [^:]*$", "$1")).toList();
    assertEquals(
        List.of(
            "round 1 of 2: create: a",
            "round 1 of 2: create: b",
            "round 1 of 2: lock: a",
            "round 1 of 2: lock: b",
            "round 2 of 2: create: b",
            "round 2 of 2: create: a",
            "round 2 of 2: lock: b",
            "round 2 of 2: lock: a"),
        turns);
    assertEquals(2, result(report, "create", "a").figures().size());
    assertNull(result(report, "create", "a").ratio());
    assertNotNull(result(report, "create", "b").ratio());
    assertEquals(200, result(report, "create", "b").latency().count());
    assertEmpty(one);
    assertEmpty(two);
  }

  private static void assertEmpty(Path folder) throws IOException {
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void theDelayOfASlowFileSystemIsReported() throws IOException {
    assumeFuse();
    try (var slow = new FaultyFileSystem(one, two)) {
      slow.statDelayNanos = 5_000_000;
      var report = run(plan(1, List.of("stat-warm"), "slow=" + two));
      var result = result(report, "stat-warm", "slow");
      assertTrue(result.median() >= 5_000 && result.median() < 20_000, result.toString());
      assertTrue(result.latency().p50() >= 5_000, result.latency().toString());
      // When it is quick again, the figure says so.
      slow.statDelayNanos = 0;
      var quick = result(run(plan(1, List.of("stat-warm"), "slow=" + two)), "stat-warm", "slow");
      assertTrue(quick.latency().p50() < 5_000, quick.toString());
    }
  }

  @Test
  void wrongDataIsReportedAndHasNoFigure() throws IOException {
    assumeFuse();
    try (var broken = new FaultyFileSystem(one, two)) {
      broken.corrupted = "/folder-000/file-42.txt";
      var healthy = Files.createDirectory(folder.resolve("healthy"));
      var engine =
          new Engine(
              plan(2, List.of("open-warm", "lock"), "broken=" + two, "healthy=" + healthy),
              new Memory(),
              "test");
      var report = engine.run();
      var result = result(report, "open-warm", "broken");
      assertTrue(result.figures().isEmpty());
      assertNull(result.median());
      assertTrue(
          result.failure().message().matches("returned wrong data at offset 17 of .*/file-42.txt"),
          result.toString());
      assertFalse(engine.isGood());
      // The others, and what else can be done on it, go on.
      assertEquals(2, result(report, "open-warm", "healthy").figures().size());
      assertEquals(2, result(report, "lock", "healthy").figures().size());
      assertEmpty(one);
    }
  }

  /** What tar and find say of it is no number. */
  @Test
  void aFileThatProgramsCannotReadIsReported() throws IOException {
    assumeFuse();
    try (var broken = new FaultyFileSystem(one, two)) {
      var isListed = new AtomicBoolean();
      broken.unreadable =
          path ->
              path.endsWith("/Source7.java")
                  || (path.endsWith("/found/module-0/package-3") && !isListed.getAndSet(true));
      var engine =
          new Engine(
              plan(1, List.of("lock", "tar", "find-cold", "append"), "broken=" + two),
              new Memory(),
              "test");
      var report = engine.run();
      assertSaysAnError(report, "tar", "Source7.java");
      assertSaysAnError(report, "find-cold", "package-3");
      assertEquals(1, result(report, "lock", "broken").figures().size());
      assertEquals(1, result(report, "append", "broken").figures().size());
      assertFalse(engine.isGood());
      assertEmpty(one);
    }
  }

  private static void assertSaysAnError(Report report, String workload, String file) {
    String message = result(report, workload, "broken").failure().message();
    assertTrue(
        message.startsWith("returned wrong data: ")
            && message.contains(file)
            && message.contains("Input/output error"),
        message);
  }

  /** A workload that does this, and keeps nothing. */
  private static Workload doing(Workload.Measured run) {
    return new Workload(
        "own",
        "own",
        "tests",
        Unit.MICROSECONDS,
        Workload.Start.AS_IT_IS,
        ImmutableSet.of(),
        ImmutableSet.of(Workload.Trait.UNPRACTISED),
        scale -> new Footprint("own", 0, 0),
        scale -> new Footprint("own", 0, 0),
        place -> {},
        run,
        place -> {});
  }

  private Plan with(Workload own, Plan plan) {
    var workloads = new ArrayList<>(plan.workloads());
    workloads.add(1, own);
    return new Plan(
        plan.targets(),
        plan.suite(),
        workloads,
        plan.rounds(),
        plan.scale(),
        plan.rate(),
        plan.practice(),
        plan.scratch());
  }

  @Test
  void aMistakeInAWorkloadDoesNotLoseTheOthers() throws IOException {
    var mistaken =
        doing(
            (place, watch) -> {
              throw new IllegalStateException("nobody has thought of this");
            });
    var engine =
        new Engine(
            with(mistaken, plan(2, List.of("lock", "append"), "a=" + one)), new Memory(), "test");
    var report = engine.run();
    assertTrue(report.complete());
    assertEquals(
        new Report.Failure(
            1, "java.lang.IllegalStateException: nobody has thought of this", null, null),
        result(report, "own", "a").failure());
    assertTrue(
        said.stream().anyMatch(s -> s.contains("\tat " + EngineTest.class.getName())),
        said::toString);
    assertEquals(2, result(report, "lock", "a").figures().size());
    assertEquals(2, result(report, "append", "a").figures().size());
    assertFalse(engine.isGood());
    assertEmpty(one);
  }

  /** As a program looks that a Ctrl-C has ended, too: it cannot be had, or it has failed. */
  @Test
  void whatAnInterruptHasEndedIsNoFailure() throws IOException {
    for (var unavailable : List.of(true, false)) {
      var interrupted =
          doing(
              (place, watch) -> {
                Thread.currentThread().interrupt();
                if (unavailable) {
                  Catalog.find("visible-create").orElseThrow().run().in(place, watch);
                }
                throw new IOException("ended by a signal");
              });
      var engine =
          new Engine(
              with(interrupted, plan(1, List.of("lock", "append"), "a=" + one)),
              new Memory(),
              "test");
      var report = engine.run();
      assertTrue(Thread.interrupted());
      assertFalse(report.complete());
      assertTrue(engine.isGood());
      assertEquals(1, result(report, "lock", "a").figures().size());
      assertEquals("interrupted before", result(report, "own", "a").skipped());
      assertEmpty(one);
    }
  }

  @Test
  void aCtrlCThatEndsTheColdCommandIsNoFailure() throws IOException {
    var engine =
        new Engine(
            plan(2, List.of("stat-cold", "lock"), "a=%s,cold=kill -INT $$".formatted(one)),
            new Memory(),
            "test");
    var report = engine.run();
    assertTrue(Thread.interrupted());
    assertFalse(report.complete());
    assertTrue(engine.isGood(), report::toString);
    assertEmpty(one);
  }

  @Test
  void aTargetThatVanishesIsReportedAndTheOthersGoOn() throws IOException {
    assumeFuse();
    var gone = new FaultyFileSystem(one, two);
    try (var _ = Files.newDirectoryStream(two)) {
      var stats = new AtomicInteger();
      gone.onStat =
          () -> {
            if (stats.incrementAndGet() == 250) {
              gone.abort();
            }
          };
      var healthy = Files.createDirectory(folder.resolve("healthy"));
      var engine =
          new Engine(
              plan(2, List.of("stat-warm", "append"), "gone=" + two, "healthy=" + healthy),
              new Memory(),
              "test");
      var report = engine.run();
      var result = result(report, "stat-warm", "gone");
      assertNull(result.median(), result.toString());
      assertTrue(
          List.of("ENOTCONN", "ECONNABORTED").contains(result.failure().errno()),
          result.failure().toString());
      assertTrue(result.failure().path().startsWith(two.toString()), result.failure().toString());
      assertTrue(
          result(report, "append", "gone").failure().message().contains("lost at stat-warm"),
          report.toString());
      assertEquals(2, result(report, "append", "healthy").figures().size());
      assertFalse(engine.isGood());
    } finally {
      // The connection has gone: only the mount is left.
      Command.run("umount", "--lazy", two.toString());
    }
  }

  @Test
  void aFullDiskIsReported() throws IOException {
    assumeRoot();
    Command.run("mount", "-t", "tmpfs", "-o", "size=24m", "none", one.toString());
    try {
      // What makes it cold fills it, too.
      var filler = "head -c 100M /dev/zero > " + one + "/filler || true";
      var engine =
          new Engine(
              plan(1, List.of("stat-cold", "seq-write"), "full=%s,cold=%s".formatted(one, filler)),
              new Memory(),
              "test");
      var report = engine.run();
      var failure = result(report, "seq-write", "full").failure();
      assertEquals("ENOSPC", failure.errno(), failure.toString());
      assertTrue(failure.path().startsWith(one.toString()), failure.toString());
      assertTrue(failure.message().contains("No space left on device"), failure.toString());
      assertFalse(engine.isGood());
      try (Stream<Path> left = Files.list(one)) {
        assertEquals(List.of(one.resolve("filler")), left.toList());
      }
    } finally {
      Command.run("umount", one.toString());
    }
  }

  @Test
  void tooLittleSpaceIsRefusedBeforeAnythingIsMade() throws IOException {
    assumeRoot();
    Command.run("mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=100", "none", one.toString());
    try {
      var modified = Files.getLastModifiedTime(one);
      var refused =
          assertThrows(
              RefusedException.class,
              () -> run(plan(1, List.of("seq-write", "create"), "small=" + one, "b=" + two)));
      assertTrue(
          refused
              .getMessage()
              .matches(
                  "small: not enough space in .*: needed are [0-9.]+ MiB and [0-9,]+ inodes, free are 2.0 MiB and 9[0-9] inodes. .*"),
          refused.getMessage());
      assertEquals(modified, Files.getLastModifiedTime(one));
      assertEmpty(one);
      assertEmpty(two);
    } finally {
      Command.run("umount", one.toString());
    }
  }

  @Test
  void whatIsNeverPractisedNeedsNoSpaceForIt() throws IOException {
    assumeRoot();
    // The source tree takes 1.0 MiB; with what every target needs besides it is 2.1 MiB, twice 3.1.
    Command.run("mount", "-t", "tmpfs", "-o", "size=2600k", "none", one.toString());
    try {
      var report = run(plan(1, List.of("untar"), "small=" + one));
      assertEquals(1, result(report, "untar", "small").figures().size(), report.toString());
    } finally {
      Command.run("umount", one.toString());
    }
  }

  @Test
  void aScratchFolderWithoutSpaceIsRefusedBeforeAnythingIsMade() throws IOException {
    assumeRoot();
    var scratch = Files.createDirectory(folder.resolve("scratch"));
    Command.run("mount", "-t", "tmpfs", "-o", "size=2m", "none", scratch.toString());
    try {
      for (var workload : List.of("git-clone", "seq-write")) {
        var plan = plan(1, List.of(workload), "a=" + one);
        var refused = assertThrows(RefusedException.class, () -> run(on(scratch, plan)));
        assertTrue(
            refused.getMessage().startsWith("scratch: not enough space in " + scratch),
            refused.getMessage());
        assertEmpty(scratch);
        assertEmpty(one);
      }
    } finally {
      Command.run("umount", scratch.toString());
    }
  }

  private static Plan on(Path scratch, Plan plan) {
    return new Plan(
        plan.targets(),
        plan.suite(),
        plan.workloads(),
        plan.rounds(),
        plan.scale(),
        plan.rate(),
        plan.practice(),
        scratch);
  }

  @Test
  void aReadOnlyTargetIsRefused() throws IOException {
    assumeRoot();
    Command.run("mount", "-t", "tmpfs", "-o", "ro", "none", one.toString());
    try {
      var refused =
          assertThrows(RefusedException.class, () -> run(plan(1, List.of("lock"), "ro=" + one)));
      assertTrue(refused.getMessage().contains("cannot be written"), refused.getMessage());
    } finally {
      Command.run("umount", one.toString());
    }
  }

  @Test
  void theColdCommandIsRunAndItsFailureTold() throws IOException {
    var log = folder.resolve("log");
    var report =
        run(
            plan(
                2,
                List.of("stat-cold", "lock"),
                "good=%s,cold=echo cold, cold >> %s".formatted(one, log),
                "bad=%s,cold=echo it is stuck; exit 3".formatted(two)));
    assertEquals("cold, cold\n".repeat(2), Files.readString(log));
    assertEquals(2, result(report, "stat-cold", "good").figures().size());
    var failure = result(report, "stat-cold", "bad").failure();
    assertTrue(
        failure.message().startsWith("cold=: ") && failure.message().contains("it is stuck"),
        failure.toString());
    assertEquals(2, result(report, "lock", "bad").figures().size());
  }

  @Test
  void whatAKilledRunHasLeftIsNamedAndKept() throws IOException {
    var left = Files.createDirectory(one.resolve(".fsbench-killed"));
    var boot = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    Files.writeString(
        left.resolve("owner"),
        "pid=999999999\nprocess=x\nboot=" + boot + "\nstarted=2026-01-02T03:04:05Z\n");
    run(plan(1, List.of("lock"), "a=" + one));
    assertTrue(
        said.stream()
            .anyMatch(
                s ->
                    s.contains(
                        left + " was left at 2026-01-02T03:04:05Z by a run that was killed")),
        said.toString());
    assertTrue(Files.exists(left.resolve("owner")));
  }

  @Test
  void aRunAtWorkIsTold() throws IOException {
    try (var other = WorkFolder.make(one)) {
      assertEquals(1, WorkFolder.others(one).size());
      assertTrue(WorkFolder.others(one).getFirst().contains("is at work"), other.name());
    }
    assertEmpty(one);
  }

  @Test
  void aPeerThatIsAnotherFolderIsRefused() throws IOException {
    var spec = TargetSpec.parse("a=%s,peer=%s".formatted(one, two));
    var materials = List.of(new Material(folder, SMALL), new Material(folder, SMALL));
    var refused =
        assertThrows(
            RefusedException.class,
            () -> new Target(spec, SMALL, SMALL, materials, 1, Duration.ofMillis(20)));
    assertEquals(
        "a: peer=%s does not show what is made in %s".formatted(two, one), refused.getMessage());
    assertEmpty(one);
  }

  @Test
  void anInterruptEndsTheWaitForAPeer() throws IOException {
    var waiting = Thread.currentThread();
    try (var events = one.getFileSystem().newWatchService()) {
      one.register(events, StandardWatchEventKinds.ENTRY_CREATE);
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  events.take();
                  waiting.interrupt();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      var report = run(plan(1, List.of("lock"), "a=%s,peer=%s".formatted(one, two)));
      assertTrue(Thread.interrupted());
      assertFalse(report.complete());
    }
    assertEmpty(one);
  }
}
