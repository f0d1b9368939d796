package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** One folder with very many empty files: 100,000 of them at the standard size. */
final class Crowd {
  private static final int CHOSEN = 2000;
  private static final String NEW = "new-";

  private final Path root;
  private final int count;
  private final int chosen;
  private final Random random;
  private final MemorySegment path;
  private boolean isThere;

  private Crowd(Path root, int count, long seed, Arena arena) {
    this.root = root;
    this.count = count;
    chosen = Math.min(CHOSEN, count);
    random = new Random(seed);
    path = arena.allocate(4096);
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        inCrowd("crowd-list-cold", "list one huge folder, cold")
            .standsFor("100,000 files (at the standard size) in one folder: mail, photos, caches")
            .cold()
            .run((p, watch) -> at(p).list(watch)),
        inCrowd("crowd-list-warm", "list one huge folder, warm")
            .standsFor("the same again")
            .warm()
            .run((p, watch) -> at(p).list(watch)),
        inCrowd("crowd-stat-cold", "stat in one huge folder, cold")
            .standsFor("caches that look for one file of many")
            .cold()
            .run((p, watch) -> at(p).stat(watch)),
        inCrowd("crowd-create", "create in one huge folder")
            .standsFor("caches and mail folders that grow")
            .check(p -> at(p).removeNew())
            .run((p, watch) -> at(p).create(watch)));
  }

  private static Workload.Builder inCrowd(String id, String title) {
    return Workload.named(id, title)
        // Empty files: a folder's entry and an inode each.
        .keeps(s -> new Footprint("crowd", (s.crowd() + CHOSEN) * 300L, s.crowd() + CHOSEN))
        .prepare(p -> at(p).ensure());
  }

  private static Crowd at(Place place) {
    return place.keep(
        Crowd.class,
        "crowd",
        p ->
            new Crowd(
                p.folder().resolve("crowd"),
                p.scale().crowd(),
                p.content("crowd").seed(),
                p.arena()));
  }

  private MemorySegment named(String prefix, int number) {
    path.setString(0, root + "/" + prefix + number);
    return path;
  }

  private static void make(MemorySegment path) throws IOException {
    Calls.close(Calls.open(path, Calls.O_WRONLY | Calls.O_CREAT | Calls.O_EXCL, 0644));
  }

  private void ensure() throws IOException {
    if (isThere) {
      return;
    }
    path.setString(0, root.toString());
    Calls.mkdir(path, 0755);
    for (int i = 0; i < count; i++) {
      make(named("file-", i));
    }
    isThere = true;
  }

  private void list(Stopwatch watch) throws IOException {
    long seen = new TreeWalk(root, 0).run(watch);
    if (seen != count) {
      throw new WrongDataException("%d entries instead of %d in %s".formatted(seen, count, root));
    }
  }

  private void stat(Stopwatch watch) throws IOException {
    for (int number : random.ints(chosen, 0, count).toArray()) {
      named("file-", number);
      long begin = watch.begin();
      long size = Calls.size(path);
      watch.end(begin);
      if (size != 0) {
        throw new WrongDataException("a size of " + size + ": " + path.getString(0));
      }
    }
  }

  private void create(Stopwatch watch) throws IOException {
    for (int i = 0; i < chosen; i++) {
      named(NEW, i);
      long begin = watch.begin();
      make(path);
      watch.end(begin);
    }
  }

  private void removeNew() throws IOException {
    for (int i = 0; i < chosen; i++) {
      Calls.unlink(named(NEW, i));
    }
  }
}
