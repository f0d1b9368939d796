package dev.hostshare.perf.compare;

import dev.hostshare.perf.mount.PlainFolder;
import dev.hostshare.perf.mount.Target;
import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.work.Material;
import dev.hostshare.perf.work.Place;
import dev.hostshare.perf.work.Work;
import dev.hostshare.perf.work.Works;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Does every work on every target, round by round. Within a round the targets take turns at each
 * work, so that what else the machine does meets all of them; who comes first changes by round.
 */
final class Comparison {
  /** Other files than the counted ones. */
  private static final int PRACTICE_FILES = 2_000;

  private static final long PRACTICE_SIZE = 64 << 20;

  /**
   * Few, since they are removed again just before the disk is measured: an ext4 without a journal
   * takes 20 times as long to reuse what was just freed.
   */
  private static final int OWN_FILES = 400;

  /** Enough for C2 to have compiled our own loops. */
  private static final int OWN_RUNS = 5;

  /** The pace of one such stretch is compared with that of the one before. */
  private static final long STRETCH_NANOS = 1_000_000_000L;

  /** Whoever gets faster by less than this from stretch to stretch has found its pace. */
  private static final double SETTLED = 1.05;

  private static final int MAX_STRETCHES = 8;

  private static final long OWN_NANOS = 500_000_000;

  /** A target's two places. */
  private record Places(Place counted, Place practice) {}

  private final Plan plan;
  private final Path work;
  private final Consumer<String> progress;
  private final Material material;
  private final Material practiceMaterial;
  private final Map<Target, Places> places = new LinkedHashMap<>();
  private final Results results = new Results();

  /**
   * @param work an empty folder on the disk that is measured
   * @param progress told what is being done
   */
  Comparison(Plan plan, Path work, Consumer<String> progress) {
    this.plan = plan;
    this.work = work;
    this.progress = progress;
    material = new Material(work.resolve("material"), plan.sources(), plan.found(), plan.tracked());
    practiceMaterial =
        new Material(
            work.resolve("practice-material"),
            Math.min(plan.sources(), 500),
            Math.min(plan.found(), 1_000),
            Math.min(plan.tracked(), 500));
  }

  /** Measures; the targets are made but not started. They are left started. */
  Results run(List<Target> targets) throws IOException {
    warmUpOurselves();
    for (Target target : targets) {
      target.start();
      places.put(target, makePlaces(target, plan.files(), plan.size()));
    }
    for (int round = 0; round < plan.rounds(); round++) {
      for (Work row : plan.works()) {
        for (Target target : inTurn(targets, round)) {
          progress.accept(
              "round %d of %d: %s: %s"
                  .formatted(round + 1, plan.rounds(), row.id(), target.name()));
          measure(row, target);
        }
      }
    }
    return results;
  }

  private static List<Target> inTurn(List<Target> targets, int round) {
    var turn = new ArrayList<>(targets);
    Collections.rotate(turn, -round);
    return turn;
  }

  private void measure(Work row, Target target) throws IOException {
    Places at = places.get(target);
    try {
      if (row.start() == Work.Start.COLD) {
        row.prepare().in(at.counted());
        target.makeCold();
      }
      if (!plan.freshProcesses() && Works.CALLS.contains(row)) {
        settle(row, at);
      }
      if (row.start() != Work.Start.COLD) {
        warmUp(row, at);
      }
      results.add(row, target.name(), row.run().in(at.counted()));
    } catch (IOException e) {
      throw new IOException("%s on %s: %s".formatted(row.id(), target.name(), e.getMessage()), e);
    }
  }

  /**
   * Does the same work on other files until it gets no faster: what was started a moment ago is to
   * be measured at its pace, and not a compiler at work.
   */
  private static void settle(Work row, Places at) throws IOException {
    double pace = 0;
    for (int i = 0; i < MAX_STRETCHES; i++) {
      double next = stretch(row, at);
      if (next < pace * SETTLED) {
        break;
      }
      pace = next;
    }
    if (row.start() == Work.Start.COLD) {
      Target.dropCaches();
    }
  }

  /** Runs in one second of work. */
  private static double stretch(Work row, Places at) throws IOException {
    int runs = 0;
    long busy = 0;
    for (long begin = System.nanoTime();
        runs == 0 || System.nanoTime() - begin < STRETCH_NANOS;
        runs++) {
      row.prepare().in(at.practice());
      if (row.start() == Work.Start.COLD) {
        Target.dropCaches();
      }
      long run = System.nanoTime();
      var _ = row.run().in(at.practice());
      busy += System.nanoTime() - run;
    }
    return runs * 1e9 / busy;
  }

  /** The same for every target: a short run on other files, then what the work asks for. */
  private static void warmUp(Work row, Places at) throws IOException {
    row.prepare().in(at.practice());
    var _ = row.run().in(at.practice());
    row.prepare().in(at.counted());
    // What was written before is not this work's to wait for.
    Calls.sync();
    if (row.start() == Work.Start.WARM) {
      var _ = row.run().in(at.counted());
    }
  }

  /** Our own loops, on the disk alone: else the first target would pay for the JVM's start. */
  private void warmUpOurselves() throws IOException {
    Path folder = Files.createDirectory(work.resolve("own"));
    try (var disk = PlainFolder.make("own", folder)) {
      Place place = makePlaces(disk, OWN_FILES, PRACTICE_SIZE).counted();
      for (Work row : plan.works()) {
        if (!Works.CALLS.contains(row)) {
          continue;
        }
        progress.accept("warming up: " + row.id());
        long end = System.nanoTime() + OWN_NANOS;
        for (int i = 0; i < OWN_RUNS || System.nanoTime() < end; i++) {
          row.prepare().in(place);
          var _ = row.run().in(place);
        }
      }
    }
  }

  private Places makePlaces(Target target, int files, long size) throws IOException {
    Path counted = Files.createDirectory(target.folder().resolve("counted"));
    Path practice = Files.createDirectory(target.folder().resolve("practice"));
    return new Places(
        Place.of(counted, target.backing().resolve("counted"), files, size, material),
        Place.of(
            practice,
            target.backing().resolve("practice"),
            Math.min(files, PRACTICE_FILES),
            Math.min(size, PRACTICE_SIZE),
            practiceMaterial));
  }
}
