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

/** Looks at targets before anything is made in them. */
final class Admission {
  /** More than is worked out: file systems keep some for themselves. */
  private static final double MARGIN = 1.1;

  private static final long LEAST_BYTES = 1 << 20;
  private static final long LEAST_INODES = 20;

  /** What files take. */
  private record Need(long bytes, long inodes) {
    Need plus(Need other) {
      return new Need(bytes + other.bytes, inodes + other.inodes);
    }
  }

  private final Plan plan;

  Admission(Plan plan) {
    this.plan = plan;
  }

  /**
   * Checks that each target is a folder that can be written, with room for the files.
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
      checkSpace(target, need);
    }
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
    Need counted = need(target, plan.scale());
    Need practice = need(target, plan.scale().atMost(plan.practice().scale()));
    Need sum = counted.plus(practice);
    return new Need(
        (long) (sum.bytes * MARGIN) + LEAST_BYTES, (long) (sum.inodes * MARGIN) + LEAST_INODES);
  }

  private Need need(TargetSpec target, Scale scale) {
    Map<String, Need> byFiles = new HashMap<>();
    for (Workload workload : plan.workloads()) {
      if (!workload.is(Workload.Trait.PEER) || target.peer().isPresent()) {
        Footprint footprint = workload.footprint().apply(scale);
        byFiles.merge(
            footprint.files(),
            new Need(footprint.bytes(), footprint.inodes()),
            (a, b) -> new Need(Math.max(a.bytes, b.bytes), Math.max(a.inodes, b.inodes)));
      }
    }
    return byFiles.values().stream().reduce(new Need(0, 0), Need::plus);
  }

  private void checkSpace(TargetSpec target, Need need) throws IOException {
    Space space = space(target.folder());
    boolean hasInodes = space.allInodes() == 0 || space.inodes() >= need.inodes;
    if (space.free() < need.bytes || !hasInodes) {
      throw new RefusedException(
          "%s: not enough space in %s: needed are %s and %,d inodes, free are %s and %s. A smaller --size, or fewer workloads, need less."
              .formatted(
                  target.name(),
                  target.folder(),
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
