package dev.hostshare.perf.workload;

import static dev.hostshare.perf.measure.Unit.SECONDS;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A tree like node_modules: packages of a dozen files of different sizes in folders of their own,
 * each tenth with packages inside. Made, walked and deleted as a package manager does.
 */
final class Modules {
  private static final int PER_PACKAGE = 12;
  private static final int NESTED = 10;

  /** Of a package's files, in turn; a multiple of 8 as {@link Content} has it. */
  private static final List<Integer> SIZES = List.of(1200, 352, 5600, 2048, 104, 14_336);

  private static final List<String> FOLDERS = List.of("", "/lib", "/dist/esm");

  private final Path root;
  private final int files;
  private final Content content;
  private int writing;
  private long bytes;
  private long entries;

  private Modules(Place place) {
    root = place.folder().resolve("node_modules");
    files = place.scale().modules();
    content = place.content("modules");
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        inTree("modules-make", "make a node_modules-like tree")
            .standsFor("npm install")
            .prepare(p -> at(p).prepare())
            .check(p -> at(p).check())
            .run((p, watch) -> at(p).make(watch)),
        inTree("modules-walk", "walk a node_modules-like tree, cold")
            .standsFor("bundlers and editors that look at every package")
            .cold()
            .prepare(p -> at(p).ensure())
            .run((p, watch) -> at(p).walk(watch)),
        inTree("modules-rm", "delete a node_modules-like tree")
            .standsFor("npm ci, which begins with this")
            .prepare(p -> at(p).ensure())
            .check(p -> Removal.check(at(p).root))
            .run((p, watch) -> Removal.run(at(p).root, watch)));
  }

  private static Workload.Builder inTree(String id, String title) {
    return Workload.named(id, title)
        .in(SECONDS)
        .developer()
        .keeps(s -> new Footprint("modules", s.modules() * 9216L, s.modules() * 3L / 2));
  }

  private static Modules at(Place place) {
    return place.keep(Modules.class, "modules", Modules::new);
  }

  private void prepare() throws IOException {
    Removal.run(root, Stopwatch.unpaced());
    writing++;
  }

  private void ensure() throws IOException {
    if (!Files.exists(root)) {
      prepare();
      make(Stopwatch.unpaced());
    }
  }

  private Path packageFolder(int number) {
    Path outer = root.resolve("package-" + number / NESTED);
    return number % NESTED == 0
        ? outer
        : number % NESTED < NESTED / 2
            ? root.resolve("package-%d-%d".formatted(number / NESTED, number % NESTED))
            : outer.resolve("node_modules/inner-" + number);
  }

  private Path file(int number) {
    Path folder = packageFolder(number / PER_PACKAGE);
    int inPackage = number % PER_PACKAGE;
    String below = FOLDERS.get(inPackage % FOLDERS.size());
    return Path.of(folder + below).resolve("file-" + inPackage + ".js");
  }

  private static int size(int number) {
    return SIZES.get(number % SIZES.size());
  }

  /** Each folder by one mkdir(2), when the first file in it is made. */
  private void make(Stopwatch watch) throws IOException {
    bytes = 0;
    var made = new HashSet<Path>(Set.of(root.getParent()));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocate(4096);
      MemorySegment buffer = arena.allocate(1 << 14, Content.PAGE);
      for (int i = 0; i < files; i++) {
        Path file = file(i);
        MemorySegment filled = buffer.asSlice(0, size(i));
        content.of(writing).of(i).fill(filled, 0);
        path.setString(0, file.toString());
        Deque<MemorySegment> folders = new ArrayDeque<>();
        for (Path folder = file.getParent(); made.add(folder); folder = folder.getParent()) {
          folders.addFirst(arena.allocateFrom(folder.toString()));
        }
        long begin = watch.begin();
        for (MemorySegment folder : folders) {
          Calls.mkdir(folder, 0755);
        }
        int fd = Calls.open(path, Calls.O_WRONLY | Calls.O_CREAT | Calls.O_EXCL, 0644);
        try {
          Calls.write(fd, filled);
        } finally {
          Calls.close(fd);
        }
        watch.end(begin, 1, size(i));
        bytes += size(i);
      }
    }
    // What holds the tree was there before, and the tree's root is in no folder of it.
    entries = files + made.size() - 2L;
  }

  private void check() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(1 << 15, Content.PAGE);
      for (int i = 0; i < files; i++) {
        String name = file(i).toString();
        int fd = Calls.open(arena.allocateFrom(name), Calls.O_RDONLY, 0);
        try {
          long length = Calls.read(fd, buffer);
          if (length != size(i)) {
            throw new WrongDataException(
                "%d bytes instead of %d: %s".formatted(length, size(i), name));
          }
          content.of(writing).of(i).check(buffer.asSlice(0, length), 0, name);
        } finally {
          Calls.close(fd);
        }
      }
    }
  }

  private void walk(Stopwatch watch) throws IOException {
    var walk = new TreeWalk(root, TreeWalk.ANY);
    long seen = walk.run(watch);
    if (walk.bytes() != bytes || seen != entries) {
      throw new WrongDataException(
          "%d entries with %d bytes instead of %d with %d: %s"
              .formatted(seen, walk.bytes(), entries, bytes, root));
    }
  }
}
