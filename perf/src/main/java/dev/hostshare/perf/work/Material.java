package dev.hostshare.perf.work;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What programs work on: made once on the disk, when first asked for. */
public final class Material {
  private static final int PER_FOLDER = 12;

  /** The sizes of source files, in turn: 5 KiB on average. */
  private static final List<Integer> SIZES = List.of(700, 1800, 2500, 4000, 16_000);

  private final Path folder;
  private final int sources;
  private final int found;
  private final int tracked;

  /**
   * Makes nothing yet.
   *
   * @param folder made when it is needed
   * @param sources files of the source tree in the archive
   * @param found files in the tree that find(1) walks
   * @param tracked files in the git repository
   */
  public Material(Path folder, int sources, int found, int tracked) {
    this.folder = folder;
    this.sources = sources;
    this.found = found;
    this.tracked = tracked;
  }

  int sources() {
    return sources;
  }

  int found() {
    return found;
  }

  /** A tar archive of a source tree. */
  Path archive() throws IOException {
    Path archive = folder.resolve("source.tar");
    if (!Files.exists(archive)) {
      makeTree(folder.resolve("source"), sources, true);
      Command.run("tar", "-C", folder.toString(), "-cf", archive.toString(), "source");
      Command.run("rm", "-rf", folder.resolve("source").toString());
    }
    return archive;
  }

  /** A git repository with everything committed. */
  Path repository() throws IOException {
    Path repository = folder.resolve("repository");
    if (!Files.exists(repository)) {
      makeTree(repository, tracked, true);
      git(repository, "init", "-q");
      git(repository, "add", ".");
      git(repository, "-c", "gc.auto=0", "commit", "-q", "-m", "all");
    }
    return repository;
  }

  /** Empty files on the disk. */
  void makeFound(Path root) throws IOException {
    makeTree(root, found, false);
  }

  /** Runs git as nobody in particular: without the settings of this machine or its user. */
  static String git(Path repository, String... arguments) throws IOException {
    var builder = new ProcessBuilder("git", "-c", "safe.directory=*", "-C", repository.toString());
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

  private static void makeTree(Path root, int files, boolean filled) throws IOException {
    Path folder = root;
    for (int i = 0; i < files; i++) {
      if (i % PER_FOLDER == 0) {
        int number = i / PER_FOLDER;
        folder = root.resolve("module-%d/package-%d".formatted(number / 30, number % 30));
        Files.createDirectories(folder);
      }
      Path file = folder.resolve("Source%d.java".formatted(i));
      if (filled) {
        String line = "// line of file %d%n".formatted(i);
        Files.writeString(file, line.repeat(SIZES.get(i % SIZES.size()) / line.length()));
      } else {
        Files.createFile(file);
      }
    }
  }
}
