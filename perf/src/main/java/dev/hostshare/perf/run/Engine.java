package dev.hostshare.perf.run;

import com.google.common.base.Throwables;
import dev.hostshare.perf.machine.Machine;
import dev.hostshare.perf.machine.Memory;
import dev.hostshare.perf.machine.Mount;
import dev.hostshare.perf.measure.Overhead;
import dev.hostshare.perf.measure.Sample;
import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.report.Report;
import dev.hostshare.perf.report.Results;
import dev.hostshare.perf.report.Table;
import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.sys.Space;
import dev.hostshare.perf.sys.SystemCallException;
import dev.hostshare.perf.workload.Material;
import dev.hostshare.perf.workload.Place;
import dev.hostshare.perf.workload.Scale;
import dev.hostshare.perf.workload.UnavailableException;
import dev.hostshare.perf.workload.Workload;
import dev.hostshare.perf.workload.Workload.Start;
import dev.hostshare.perf.workload.Workload.Trait;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Does every workload on every target, round by round. Within a round the targets take turns at
 * each workload, so that what else the machine does meets all of them; who comes first changes by
 * round.
 */
public final class Engine {
  /** Enough for our own loops to be compiled. */
  private static final long OWN_NANOS = 400_000_000;

  /** The pace of one such stretch is compared with that of the one before. */
  private static final long STRETCH_NANOS = 1_000_000_000L;

  /** Whoever gets faster by less than this from stretch to stretch has found its pace. */
  private static final double SETTLED = 1.05;

  private static final int MAX_STRETCHES = 8;

  /** Caches of peers forget after seconds. */
  private static final Duration PEER_LIMIT = Duration.ofSeconds(30);

  private final Plan plan;
  private final Progress progress;
  private final String version;
  private final Results results = new Results();
  private final List<Target> targets = new ArrayList<>();
  private final long seed = ThreadLocalRandom.current().nextLong();
  private boolean isComplete;
  private boolean hasLeftovers;

  /**
   * @param version of the tool, for the report
   */
  public Engine(Plan plan, Progress progress, String version) {
    this.plan = plan;
    this.progress = progress;
    this.version = version;
  }

  /**
   * Measures. After an interrupt, the report has what there is, and the thread is interrupted
   * still.
   *
   * @throws RefusedException if a target cannot be measured; nothing was made then
   */
  public Report run() throws IOException {
    new Admission(plan).check();
    for (TargetSpec target : plan.targets()) {
      WorkFolder.others(target.folder()).forEach(progress::tell);
    }
    String started = now();
    List<Report.TargetInfo> described = describe();
    Machine machine = Machine.describe();
    Overhead overhead = Overhead.measure();
    try (var scratch = WorkFolder.make(plan.scratch())) {
      try {
        makeTargets(scratch);
        measureAll(scratch);
        isComplete = true;
      } catch (IOException e) {
        // Some channels have an exception of their own for it.
        if (!(e instanceof InterruptedIOException) && !Thread.currentThread().isInterrupted()) {
          throw e;
        }
        progress.tell("interrupted: what was measured is kept");
        Thread.currentThread().interrupt();
      } finally {
        boolean wasInterrupted = Thread.interrupted();
        closeTargets();
        if (wasInterrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
    return report(started, described, machine, overhead);
  }

  /** Whether nothing has failed, and every target could be cleaned. */
  public boolean isGood() {
    return !results.hasFailures() && !hasLeftovers;
  }

  private void makeTargets(WorkFolder scratch) throws IOException {
    Scale practiceScale = plan.scale().atMost(plan.practice().scale());
    var materials =
        List.of(
            new Material(scratch.path().resolve("material"), plan.scale()),
            new Material(scratch.path().resolve("practice"), practiceScale));
    for (TargetSpec spec : plan.targets()) {
      targets.add(new Target(spec, plan.scale(), practiceScale, materials, seed, PEER_LIMIT));
    }
  }

  /** All of them, whatever happens to one. */
  private void closeTargets() {
    for (Target target : targets.reversed()) {
      try {
        target.close();
      } catch (IOException | RuntimeException e) {
        hasLeftovers = true;
        progress.tell(target.name() + ": " + message(e));
      }
    }
  }

  private void measureAll(WorkFolder scratch) throws IOException {
    progress.start(plan.rounds() * plan.workloads().size() * targets.size());
    for (Workload workload : plan.workloads()) {
      for (Target target : targets) {
        skipIfImpossible(workload, target);
      }
    }
    warmUpOurselves(scratch);
    for (int round = 1; round <= plan.rounds(); round++) {
      for (Workload workload : plan.workloads()) {
        for (Target target : inTurn(round)) {
          measure(round, workload, target);
        }
      }
    }
  }

  private void skipIfImpossible(Workload workload, Target target) {
    if (workload.start() == Start.COLD && !target.canBeCold()) {
      results.skip(
          workload,
          target.name(),
          "cold caches need cold=COMMAND, or root, who can drop the kernel's");
    }
  }

  private List<Target> inTurn(int round) {
    var turn = new ArrayList<>(targets);
    Collections.rotate(turn, 1 - round);
    return turn;
  }

  private void measure(int round, Workload workload, Target target) throws IOException {
    String what =
        "round %d of %d: %s: %s".formatted(round, plan.rounds(), workload.id(), target.name());
    progress.begin(what);
    if (results.isOver(workload, target.name())) {
      progress.step(what + ": left out");
      return;
    }
    if (target.lost().isPresent()) {
      results.fail(
          workload, target.name(), new Report.Failure(round, target.lost().get(), null, null));
      progress.step(what + ": left out");
      return;
    }
    try {
      Sample sample = once(workload, target);
      results.add(workload, target.name(), sample);
      progress.step(
          "%s: %s %s".formatted(what, Table.figure(sample.figure()), workload.unit().symbol()));
    } catch (InterruptedIOException e) {
      throw e;
    } catch (UnavailableException e) {
      checkInterrupt();
      results.skip(workload, target.name(), e.getMessage());
      progress.step(what + ": left out: " + e.getMessage());
    } catch (IOException | RuntimeException e) {
      checkInterrupt();
      fail(round, workload, target, e);
      progress.step(what + ": FAILED: " + message(e));
    }
  }

  /** What an interrupt has ended did not fail by itself. */
  private static void checkInterrupt() throws InterruptedIOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted");
    }
  }

  private Sample once(Workload workload, Target target) throws IOException {
    boolean canPractise = workload.canBePractised();
    boolean isCold = workload.start() == Start.COLD;
    if (isCold) {
      workload.prepare().in(target.counted());
      if (canPractise && plan.practice() == Practice.ONCE) {
        practise(workload, target);
      }
      target.makeCold();
    }
    if (canPractise && plan.practice() == Practice.SETTLE) {
      settle(workload, target);
    }
    if (!isCold) {
      warmUp(workload, target, canPractise);
    }
    Memory.warm(workload.footprint().apply(plan.scale()).bytes());
    Stopwatch watch =
        plan.rate().isPresent() && workload.is(Trait.PACED)
            ? Stopwatch.paced(plan.rate().getAsDouble())
            : Stopwatch.unpaced();
    workload.run().in(target.counted(), watch);
    Sample sample = watch.sample(workload.unit());
    workload.check().in(target.counted());
    return sample;
  }

  private static void practise(Workload workload, Target target) throws IOException {
    run(workload, target.practice());
  }

  private static void run(Workload workload, Place place) throws IOException {
    workload.prepare().in(place);
    workload.run().in(place, Stopwatch.unpaced());
    workload.check().in(place);
  }

  /** The same for every target: a short run on other files, then what the work asks for. */
  private static void warmUp(Workload workload, Target target, boolean canPractise)
      throws IOException {
    if (canPractise) {
      practise(workload, target);
    }
    workload.prepare().in(target.counted());
    // What was written before is not this work's to wait for.
    Calls.sync();
    if (workload.start() == Start.WARM) {
      workload.run().in(target.counted(), Stopwatch.unpaced());
    }
  }

  /** Does the same work on other files until it gets no faster. */
  private static void settle(Workload workload, Target target) throws IOException {
    double pace = 0;
    for (int i = 0; i < MAX_STRETCHES; i++) {
      double next = stretch(workload, target);
      if (next < pace * SETTLED) {
        break;
      }
      pace = next;
    }
    if (workload.start() == Start.COLD) {
      Target.dropCaches();
    }
  }

  /** Runs in one second of work. */
  private static double stretch(Workload workload, Target target) throws IOException {
    int runs = 0;
    long busy = 0;
    for (long begin = System.nanoTime();
        runs == 0 || System.nanoTime() - begin < STRETCH_NANOS;
        runs++) {
      workload.prepare().in(target.practice());
      if (workload.start() == Start.COLD) {
        Target.dropCaches();
      }
      long run = System.nanoTime();
      workload.run().in(target.practice(), Stopwatch.unpaced());
      busy += System.nanoTime() - run;
      workload.check().in(target.practice());
    }
    return runs * 1e9 / busy;
  }

  /**
   * Our own loops: else the first workload of the first round would pay for the JVM's start. Beside
   * the targets: files that were just removed would make the next ones there slower on some disks.
   */
  private void warmUpOurselves(WorkFolder scratch) throws IOException {
    for (Workload workload : plan.workloads()) {
      if (!workload.canBePractised()) {
        continue;
      }
      progress.begin("warming up: " + workload.id());
      Path folder = Files.createDirectory(scratch.path().resolve("own-" + workload.id()));
      Scale scale = ownScale(plan);
      var material = new Material(folder, scale);
      try (var own = new Place(folder, Optional.empty(), scale, material, seed)) {
        long end = System.nanoTime() + OWN_NANOS;
        do {
          run(workload, own);
        } while (System.nanoTime() < end);
      } catch (InterruptedIOException | UnavailableException e) {
        checkInterrupt();
      }
    }
  }

  /** Of the files on which our own loops are warmed up. */
  static Scale ownScale(Plan plan) {
    return Practice.ONCE.scale().atMost(plan.scale());
  }

  private void fail(int round, Workload workload, Target target, Exception e) {
    if (e instanceof RuntimeException) {
      progress.tell(Throwables.getStackTraceAsString(e).strip());
    }
    String errno = e instanceof SystemCallException call ? call.errnoName() : null;
    String path = e instanceof SystemCallException call ? call.path() : null;
    results.fail(workload, target.name(), new Report.Failure(round, message(e), errno, path));
    try {
      target.startAgain();
    } catch (IOException | RuntimeException gone) {
      target.lose("the target was lost at %s: %s".formatted(workload.id(), message(gone)));
    }
  }

  /**
   * java.nio's exceptions have a path for a message: their name says what about it. One that nobody
   * has foreseen is a mistake of ours, but no reason to lose what was measured.
   */
  private static String message(Exception e) {
    return e instanceof FileSystemException || e instanceof RuntimeException
        ? e.toString()
        : e.getMessage();
  }

  private List<Report.TargetInfo> describe() throws IOException {
    var described = new ArrayList<Report.TargetInfo>();
    for (TargetSpec target : plan.targets()) {
      Space space = Admission.space(target.folder());
      described.add(
          new Report.TargetInfo(
              target.name(),
              target.folder().toString(),
              target.peer().map(Object::toString).orElse(null),
              target.cold().orElse(null),
              Mount.of(target.folder()),
              space.size(),
              space.free()));
    }
    return described;
  }

  private Report report(
      String started, List<Report.TargetInfo> described, Machine machine, Overhead overhead) {
    List<String> names = plan.targets().stream().map(TargetSpec::name).toList();
    Double rate = plan.rate().isPresent() ? plan.rate().getAsDouble() : null;
    var settings =
        new Report.Settings(
            plan.suite(),
            plan.rounds(),
            plan.scale().size(),
            plan.scale().files(),
            plan.scale().crowd(),
            rate,
            plan.practice().name().toLowerCase(Locale.ROOT),
            seed);
    return new Report(
        Report.VERSION,
        "fsbench",
        version,
        started,
        now(),
        isComplete,
        settings,
        machine,
        overhead,
        described,
        plan.workloads().stream().map(w -> results.row(w, names, rate)).toList());
  }

  private static String now() {
    return Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
