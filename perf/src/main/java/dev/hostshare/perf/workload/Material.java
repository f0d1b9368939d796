package dev.hostshare.perf.workload;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What programs work on: made once, beside the targets, when first asked for. */
public final class Material {
  private static final int PER_FOLDER = 12;

  /** The sizes of source files, in turn: 5 KiB on average. */
  private static final List<Integer> SIZES = List.of(700, 1800, 2500, 4000, 16_000);

  /** One in so many files is another one on the other branch. */
  private static final int CHANGED = 5;

  /** The branches of the repository. */
  static final List<String> BRANCHES = List.of("one", "two");

  private final Path folder;
  private final Scale scale;

  /**
   * Makes nothing yet.
   *
   * @param folder made when it is needed; not on a target
   */
  public Material(Path folder, Scale scale) {
    this.folder = folder;
    this.scale = scale;
  }

  /** Where it is, for what else programs need beside the targets. */
  Path folder() throws IOException {
    return Files.createDirectories(folder);
  }

  int sources() {
    return scale.sources();
  }

  /** Files of the large repository. */
  int large() {
    return scale.repository();
  }

  /** What a source tree takes on a disk, in bytes. */
  static long sourceBytes(int files) {
    return files * 8192L;
  }

  /** Of files and folders. */
  static long sourceInodes(int files) {
    return files * 9L / 8 + 100;
  }

  /** The archive beside a source tree: the one it is made of, or one that was unpacked from it. */
  static Footprint archiveFootprint(Scale scale) {
    int files = scale.sources();
    return new Footprint("archive", 2 * sourceBytes(files), sourceInodes(files) + 1);
  }

  /** A repository with its branches, or a clone of one: objects are files of at most a block. */
  static Footprint repositoryFootprint(String name, int files) {
    return new Footprint(name, sourceBytes(files) * 7 / 4 + (2 << 20), files * 5L / 2 + 400);
  }

  /** What is made somewhere. */
  private interface Making {
    void in(Path path) throws IOException;
  }

  /** Under another name until it is whole: what was given up half-way is made anew. */
  private static void ensure(Path whole, Making making) throws IOException {
    if (Files.exists(whole)) {
      return;
    }
    Path part = whole.resolveSibling(whole.getFileName() + ".part");
    Command.run("rm", "-rf", part.toString());
    Files.createDirectories(whole.getParent());
    making.in(part);
    Files.move(part, whole);
  }

  /** A tar archive of a source tree, in a folder {@code source}. */
  Path archive() throws IOException {
    Path archive = folder.resolve("source.tar");
    ensure(archive, this::makeArchive);
    return archive;
  }

  private void makeArchive(Path archive) throws IOException {
    Path tree = folder.resolve("source");
    makeTree(tree, scale.sources(), true);
    Command.run("tar", "-C", folder.toString(), "-cf", archive.toString(), "source");
    Command.run("rm", "-rf", tree.toString());
  }

  /** A git repository of so many files with two branches. */
  Path repository(int files) throws IOException {
    Path repository = folder.resolve("repository-" + files);
    ensure(repository, path -> makeRepository(path, files));
    return repository;
  }

  private static void makeRepository(Path repository, int files) throws IOException {
    makeTree(repository, files, true);
    git(repository, "init", "-q", "-b", BRANCHES.getFirst());
    commit(repository);
    git(repository, "checkout", "-q", "-b", BRANCHES.getLast());
    for (int i = 0; i < files; i += CHANGED) {
      Files.writeString(file(repository, i), "// changed " + i + "\n");
    }
    commit(repository);
    git(repository, "checkout", "-q", BRANCHES.getFirst());
  }

  private static void commit(Path repository) throws IOException {
    git(repository, "add", ".");
    git(repository, "-c", "gc.auto=0", "commit", "-q", "-m", "all");
  }

  /** Empty files for find(1). */
  void makeFound(Path root) throws IOException {
    makeTree(root, scale.found(), false);
  }

  /** Runs git as nobody in particular: without the settings of this machine or its user. */
  static String git(Path repository, String... arguments) throws IOException {
    var builder =
        new ProcessBuilder(
            "git", "-c", "safe.directory=*", "-c", "gc.auto=0", "-C", repository.toString());
    builder.command().addAll(List.of(arguments));
    builder
        .environment()
        .putAll(
            Map.of(
                "HOME", "/nonexistent",
                "GIT_CONFIG_NOSYSTEM", "1",
                "GIT_CONFIG_GLOBAL", "/dev/null",
                "GIT_AUTHOR_NAME", "perf",
                "GIT_AUTHOR_EMAIL", "perf@localhost",
                "GIT_COMMITTER_NAME", "perf",
                "GIT_COMMITTER_EMAIL", "perf@localhost"));
    return Command.run(builder);
  }

  private static Path file(Path root, int number) {
    int group = number / PER_FOLDER;
    return root.resolve(
        "module-%d/package-%d/Source%d.java".formatted(group / 30, group % 30, number));
  }

  private static void makeTree(Path root, int files, boolean filled) throws IOException {
    for (int i = 0; i < files; i++) {
      Path file = file(root, i);
      if (i % PER_FOLDER == 0) {
        Files.createDirectories(file.getParent());
      }
      if (filled) {
        String line = "// line of file %d%n".formatted(i);
        Files.writeString(file, line.repeat(SIZES.get(i % SIZES.size()) / line.length()));
      } else {
        Files.createFile(file);
      }
    }
  }
}
