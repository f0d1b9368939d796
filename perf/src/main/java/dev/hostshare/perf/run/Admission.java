package dev.hostshare.perf.run;

import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.sys.Space;
import dev.hostshare.perf.workload.Footprint;
import dev.hostshare.perf.workload.Scale;
import dev.hostshare.perf.workload.Workload;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Looks at targets before anything is made in them. */
final class Admission {
  /** More than is worked out: file systems keep some for themselves. */
  private static final double MARGIN = 1.1;

  private static final long LEAST_BYTES = 1 << 20;
  private static final long LEAST_INODES = 20;

  /** What files take. */
  private record Need(long bytes, long inodes) {
    static Need of(Footprint footprint) {
      return new Need(footprint.bytes(), footprint.inodes());
    }

    Need most(Need other) {
      return new Need(Math.max(bytes, other.bytes), Math.max(inodes, other.inodes));
    }

    Need withMargin() {
      return new Need(
          (long) (bytes * MARGIN) + LEAST_BYTES, (long) (inodes * MARGIN) + LEAST_INODES);
    }

    Need plus(Need other) {
      return new Need(bytes + other.bytes, inodes + other.inodes);
    }
  }

  private final Plan plan;

  Admission(Plan plan) {
    this.plan = plan;
  }

  /**
   * Checks that each target is a folder that can be written, with room for the files, and that
   * there is room in the scratch folder.
   *
   * @throws RefusedException that says what is needed and what is there
   */
  void check() throws IOException {
    Map<Object, Need> byDevice = new HashMap<>();
    for (TargetSpec target : plan.targets()) {
      checkFolder(target);
      Object device = Files.getAttribute(target.folder(), "unix:dev");
      // Folders of one file system share its space.
      Need need = byDevice.merge(device, need(target), Need::plus);
      checkSpace(target.name(), target.folder(), need);
    }
    Object device = Files.getAttribute(plan.scratch(), "unix:dev");
    checkSpace("scratch", plan.scratch(), byDevice.merge(device, scratchNeed(), Need::plus));
  }

  private static void checkFolder(TargetSpec target) throws IOException {
    checkIsFolder(target, target.folder());
    if (target.peer().isPresent()) {
      checkIsFolder(target, target.peer().get());
    }
    if (!Files.isWritable(target.folder())) {
      throw new RefusedException(
          "%s: %s cannot be written".formatted(target.name(), target.folder()));
    }
  }

  private static void checkIsFolder(TargetSpec target, Path folder) throws RefusedException {
    try {
      if (!Files.readAttributes(folder, BasicFileAttributes.class).isDirectory()) {
        throw new RefusedException("%s: %s is not a folder".formatted(target.name(), folder));
      }
    } catch (NoSuchFileException e) {
      throw new RefusedException("%s: there is no folder %s".formatted(target.name(), folder));
    } catch (RefusedException e) {
      throw e;
    } catch (IOException e) {
      // A mount that nobody serves any more, for example.
      throw new RefusedException("%s: %s".formatted(target.name(), e.getMessage()));
    }
  }

  private Need need(TargetSpec target) {
    Need counted =
        shared(
            plan.workloads().stream()
                .filter(w -> !w.is(Workload.Trait.PEER) || target.peer().isPresent())
                .map(w -> w.footprint().apply(plan.scale())));
    Scale practiceScale = plan.scale().atMost(plan.practice().scale());
    Need practice = shared(practised().map(w -> w.footprint().apply(practiceScale)));
    return counted.plus(practice).withMargin();
  }

  /** What programs work on, and the files on which each of our own loops is warmed up. */
  private Need scratchNeed() {
    Need material = shared(plan.workloads().stream().map(w -> w.material().apply(plan.scale())));
    Scale ownScale = Engine.ownScale(plan);
    return practised()
        .map(w -> Need.of(w.footprint().apply(ownScale)))
        .reduce(material, Need::plus)
        .withMargin();
  }

  private Stream<Workload> practised() {
    return plan.workloads().stream().filter(Workload::canBePractised);
  }

  /** Files with the same name are the same files. */
  private static Need shared(Stream<Footprint> footprints) {
    Map<String, Need> byFiles = new HashMap<>();
    footprints.forEach(its -> byFiles.merge(its.files(), Need.of(its), Need::most));
    return byFiles.values().stream().reduce(new Need(0, 0), Need::plus);
  }

  private static void checkSpace(String who, Path folder, Need need) throws IOException {
    Space space = space(folder);
    boolean hasInodes = space.allInodes() == 0 || space.inodes() >= need.inodes;
    if (space.free() < need.bytes || !hasInodes) {
      throw new RefusedException(
          "%s: not enough space in %s: needed are %s and %,d inodes, free are %s and %s. A smaller --size, or fewer workloads, need less."
              .formatted(
                  who,
                  folder,
                  size(need.bytes),
                  need.inodes,
                  size(space.free()),
                  space.allInodes() == 0
                      ? "as many inodes as it likes"
                      : "%,d inodes".formatted(space.inodes())));
    }
  }

  static Space space(Path folder) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      return Calls.space(arena.allocateFrom(folder.toString()));
    }
  }

  private static String size(long bytes) {
    return bytes >= 10L << 30
        ? String.format(Locale.ROOT, "%,d GiB", bytes >> 30)
        : String.format(Locale.ROOT, "%,.1f MiB", bytes / (double) (1 << 20));
  }
}
