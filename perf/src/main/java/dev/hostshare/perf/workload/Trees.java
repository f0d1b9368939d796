package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Trees of empty files that are walked with attributes. The deep one is chains of folders, one in
 * the other, each with a few files; the wide one has all its folders side by side.
 */
final class Trees {
  private static final int DEPTH = 16;
  private static final int FILES_EACH = 4;

  private final Path root;
  private final int folders;
  private final boolean isDeep;
  private boolean isThere;

  private Trees(Path root, int files, boolean isDeep) {
    this.root = root;
    this.isDeep = isDeep;
    folders = Math.max(DEPTH, files / FILES_EACH / DEPTH * DEPTH);
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    var workloads = new ArrayList<Workload>();
    for (String shape : List.of("deep", "wide")) {
      for (String state : List.of("cold", "warm")) {
        var builder =
            Workload.named(
                    "walk-%s-%s".formatted(shape, state),
                    "walk a %s tree, %s".formatted(shape, state))
                .standsFor(
                    shape.equals("deep")
                        ? "find, git status, backups: folders in folders"
                        : "find, git status, backups: many folders side by side")
                .keeps(s -> Footprint.ofSmallFiles("walked-" + shape, s.files() * 5L / 4))
                .prepare(p -> at(p, shape).ensure());
        workloads.add(
            (state.equals("cold") ? builder.cold() : builder.warm())
                .run((p, watch) -> at(p, shape).walk(watch)));
      }
    }
    return workloads;
  }

  private static Trees at(Place place, String shape) {
    return place.keep(
        Trees.class,
        "walked-" + shape,
        p ->
            new Trees(
                p.folder().resolve("walked-" + shape), p.scale().files(), shape.equals("deep")));
  }

  private void ensure() throws IOException {
    if (isThere) {
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocate(4096);
      mkdir(path, root);
      Path folder = root;
      for (int i = 0; i < folders; i++) {
        boolean isBelow = isDeep && i % DEPTH != 0;
        folder = (isBelow ? folder : root).resolve("folder-" + i);
        mkdir(path, folder);
        for (int f = 0; f < FILES_EACH; f++) {
          path.setString(0, folder.resolve("file-" + f).toString());
          Calls.close(Calls.open(path, Calls.O_WRONLY | Calls.O_CREAT | Calls.O_EXCL, 0644));
        }
      }
    }
    isThere = true;
  }

  private static void mkdir(MemorySegment path, Path folder) throws IOException {
    path.setString(0, folder.toString());
    Calls.mkdir(path, 0755);
  }

  private void walk(Stopwatch watch) throws IOException {
    long seen = new TreeWalk(root, 0).run(watch);
    long there = folders * (FILES_EACH + 1L);
    if (seen != there) {
      throw new WrongDataException("%d entries instead of %d in %s".formatted(seen, there, root));
    }
  }
}
