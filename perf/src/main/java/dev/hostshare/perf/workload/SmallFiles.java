package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Files of 4 KiB in folders of 100. An operation is one on a file. */
final class SmallFiles {
  private static final int FILE = 0100000;

  private final Content content;
  private final Path root;
  private final MemorySegment rootPath;
  private final MemorySegment[] folders;

  /** Two names of each file, and which of them it has. */
  private final MemorySegment[][] names = new MemorySegment[2][];

  private static final long LATER_NANOS = 2_000_000_000L;

  private final MemorySegment page;
  private final MemorySegment missing;
  private int asked;
  private int named;
  private int mode = 0644;
  private int writing;
  private boolean hasFolders;
  private boolean isThere;

  private SmallFiles(Path root, int count, Content content, Arena arena) {
    this.root = root;
    this.content = content;
    rootPath = arena.allocateFrom(root.toString());
    folders = new MemorySegment[count / Scale.PER_FOLDER];
    names[0] = new MemorySegment[count];
    names[1] = new MemorySegment[count];
    for (int d = 0; d < folders.length; d++) {
      Path folder = root.resolve("folder-%03d".formatted(d));
      folders[d] = arena.allocateFrom(folder.toString());
      for (int f = 0; f < Scale.PER_FOLDER; f++) {
        int i = d * Scale.PER_FOLDER + f;
        names[0][i] = arena.allocateFrom(folder.resolve("file-%02d.txt".formatted(f)).toString());
        names[1][i] = arena.allocateFrom(folder.resolve("name-%02d.txt".formatted(f)).toString());
      }
    }
    page = arena.allocate(Content.PAGE, Content.PAGE);
    missing = arena.allocate(4096);
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        Workload.named("create", "create + write + close")
            .standsFor("unpacking archives, installing packages, compilers' output")
            .quick()
            .keeps(s -> Footprint.ofSmallFiles("changing", s.files()))
            .prepare(p -> changing(p).makeFolders())
            .check(p -> changing(p).checkContent())
            .run((p, watch) -> changing(p).create(watch)),
        onFiles("stat-cold", "stat, cold")
            .standsFor("the first git status, make, or ls of the day")
            .quick()
            .cold()
            .run((p, watch) -> files(p).stat(watch)),
        onFiles("stat-warm", "stat, warm")
            .standsFor("every build tool that asks what has changed")
            .quick()
            .warm()
            .with(Workload.Trait.PACED)
            .run((p, watch) -> files(p).stat(watch)),
        onFiles("stat-later", "stat, 2 s after the last look")
            .standsFor("caches that forget after a second: prompts, editors")
            .with(Workload.Trait.UNPRACTISED)
            .prepare(p -> files(p).lookThenWait())
            .run((p, watch) -> files(p).stat(watch)),
        onFiles("stat-missing", "stat of names that are not there")
            .standsFor("looking for modules and headers along a path; a round trip")
            .quick()
            .with(Workload.Trait.PACED)
            .run((p, watch) -> files(p).statMissing(watch)),
        onFiles("list-cold", "list + attributes, cold")
            .standsFor("ls -lR, an editor's file tree, just opened")
            .quick()
            .cold()
            .run((p, watch) -> files(p).list(watch)),
        onFiles("list-warm", "list + attributes, warm")
            .standsFor("ls -lR, an editor's file tree, again")
            .quick()
            .warm()
            .run((p, watch) -> files(p).list(watch)),
        onFiles("open-cold", "open + read + close, cold")
            .standsFor("the first start of a program, the first build")
            .quick()
            .cold()
            .run((p, watch) -> files(p).read(watch)),
        onFiles("open-warm", "open + read + close, warm")
            .standsFor("scripts that load their modules, builds done again")
            .quick()
            .warm()
            .with(Workload.Trait.PACED)
            .run((p, watch) -> files(p).read(watch)),
        changing("chmod", "chmod", false).quick().run((p, watch) -> changing(p).chmod(watch)),
        changing("chmod-cold", "chmod, cold", true).run((p, watch) -> changing(p).chmod(watch)),
        changing("rename", "rename", false).quick().run((p, watch) -> changing(p).rename(watch)),
        changing("rename-cold", "rename, cold", true).run((p, watch) -> changing(p).rename(watch)),
        changing("unlink", "unlink", false).quick().run((p, watch) -> changing(p).unlink(watch)),
        changing("unlink-cold", "unlink, cold", true).run((p, watch) -> changing(p).unlink(watch)));
  }

  private static Workload.Builder onFiles(String id, String title) {
    return Workload.named(id, title)
        .keeps(s -> Footprint.ofSmallFiles("files", s.files()))
        .prepare(p -> files(p).ensure());
  }

  private static Workload.Builder changing(String id, String title, boolean cold) {
    var builder =
        Workload.named(id, title)
            .standsFor(
                id.startsWith("chmod")
                    ? "installers, archives unpacked with their modes"
                    : id.startsWith("rename")
                        ? "editors and compilers that save by a new file"
                        : "rm -r, make clean, caches thrown away")
            .keeps(s -> Footprint.ofSmallFiles("changing", s.files()));
    return cold
        ? builder.cold().prepare(p -> changing(p).ensure())
        : builder.prepare(p -> changing(p).ensureKnown());
  }

  /** Files that stay as they are. */
  private static SmallFiles files(Place place) {
    return at(place, "files");
  }

  /** Files that are made, changed and removed. */
  private static SmallFiles changing(Place place) {
    return at(place, "changing");
  }

  private static SmallFiles at(Place place, String name) {
    return place.keep(
        SmallFiles.class,
        name,
        p ->
            new SmallFiles(
                p.folder().resolve(name), p.scale().files(), p.content(name), p.arena()));
  }

  private int count() {
    return names[0].length;
  }

  private Content contentOf(int file) {
    return content.of((long) writing * count() + file);
  }

  private void makeFolders() throws IOException {
    if (isThere) {
      unlink(Stopwatch.unpaced());
    }
    if (!hasFolders) {
      Calls.mkdir(rootPath, 0755);
      for (MemorySegment folder : folders) {
        Calls.mkdir(folder, 0755);
      }
      hasFolders = true;
    }
  }

  private void ensure() throws IOException {
    if (!isThere) {
      makeFolders();
      create(Stopwatch.unpaced());
    }
  }

  /** With a look at each, so that names are at hand. */
  private void ensureKnown() throws IOException {
    ensure();
    stat(Stopwatch.unpaced());
  }

  private void create(Stopwatch watch) throws IOException {
    named = 0;
    mode = 0644;
    writing++;
    for (int i = 0; i < count(); i++) {
      contentOf(i).fill(page, 0);
      long begin = watch.begin();
      int fd = Calls.open(names[0][i], Calls.O_WRONLY | Calls.O_CREAT | Calls.O_EXCL, mode);
      try {
        Calls.write(fd, page);
      } finally {
        Calls.close(fd);
      }
      watch.end(begin, 1, Content.PAGE);
    }
    isThere = true;
  }

  private void stat(Stopwatch watch) throws IOException {
    int number = watch.within(count());
    for (int i = 0; i < number; i++) {
      long begin = watch.begin();
      long size = Calls.size(names[named][i]);
      watch.end(begin);
      if (size != Content.PAGE) {
        throw new WrongDataException("a size of " + size + ": " + path(i));
      }
    }
  }

  /** There is no event to wait for: what is asked is whether time alone makes caches forget. */
  private void lookThenWait() throws IOException {
    ensureKnown();
    long end = System.nanoTime() + LATER_NANOS;
    for (long left = LATER_NANOS; left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.currentThread().isInterrupted()) {
        throw new InterruptedIOException("interrupted");
      }
    }
  }

  /** Other names each time: nobody may know that they are not there. */
  private void statMissing(Stopwatch watch) throws IOException {
    asked++;
    int number = watch.within(count());
    for (int i = 0; i < number; i++) {
      String folder = folders[i / Scale.PER_FOLDER].getString(0);
      missing.setString(0, "%s/missing-%d-%d".formatted(folder, asked, i));
      long begin = watch.begin();
      boolean isSeen = Calls.exists(missing);
      watch.end(begin);
      if (isSeen) {
        throw new WrongDataException("a file that nobody has made: " + missing.getString(0));
      }
    }
  }

  private void list(Stopwatch watch) throws IOException {
    long seen = new TreeWalk(root, Content.PAGE).run(watch);
    if (seen != count() + folders.length) {
      throw new WrongDataException(
          "%d entries instead of %d in %s".formatted(seen, count() + folders.length, root));
    }
  }

  private void read(Stopwatch watch) throws IOException {
    int number = watch.within(count());
    for (int i = 0; i < number; i++) {
      long begin = watch.begin();
      long length = readOnce(i);
      watch.end(begin, 1, length);
      check(i, length);
    }
  }

  private long readOnce(int file) throws IOException {
    int fd = Calls.open(names[named][file], Calls.O_RDONLY, 0);
    try {
      return Calls.read(fd, page);
    } finally {
      Calls.close(fd);
    }
  }

  private void check(int file, long length) throws IOException {
    if (length != Content.PAGE) {
      throw new WrongDataException(length + " bytes instead of 4096: " + path(file));
    }
    contentOf(file).check(page, 0, path(file));
  }

  private void checkContent() throws IOException {
    for (int i = 0; i < count(); i++) {
      check(i, readOnce(i));
    }
  }

  private void chmod(Stopwatch watch) throws IOException {
    mode = mode == 0644 ? 0600 : 0644;
    for (MemorySegment name : names[named]) {
      long begin = watch.begin();
      Calls.chmod(name, mode);
      watch.end(begin);
    }
    for (int i = 0; i < count(); i++) {
      int seen = Calls.mode(names[named][i]);
      if (seen != (FILE | mode)) {
        throw new WrongDataException("mode %o instead of %o: %s".formatted(seen, mode, path(i)));
      }
    }
  }

  /** To the other name in the same folder. */
  private void rename(Stopwatch watch) throws IOException {
    MemorySegment[] from = names[named];
    MemorySegment[] to = names[1 - named];
    for (int i = 0; i < count(); i++) {
      long begin = watch.begin();
      Calls.rename(from[i], to[i]);
      watch.end(begin);
    }
    named = 1 - named;
    checkContent();
    checkGone(from);
  }

  private static void checkGone(MemorySegment[] names) throws IOException {
    for (MemorySegment name : names) {
      if (Calls.exists(name)) {
        throw new WrongDataException("a file that is there no more: " + name.getString(0));
      }
    }
  }

  private void unlink(Stopwatch watch) throws IOException {
    for (MemorySegment name : names[named]) {
      long begin = watch.begin();
      Calls.unlink(name);
      watch.end(begin);
    }
    isThere = false;
    checkGone(names[named]);
  }

  private String path(int file) {
    return names[named][file].getString(0);
  }
}
