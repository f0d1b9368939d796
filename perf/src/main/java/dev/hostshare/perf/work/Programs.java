package dev.hostshare.perf.work;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Programs that users run. Figures are seconds, with the program's start. */
final class Programs {
  private final Path folder;
  private final Path backing;
  private final Material material;

  Programs(Path folder, Path backing, Material material) {
    this.folder = folder;
    this.backing = backing;
    this.material = material;
  }

  void prepareUntar() throws IOException {
    material.archive();
    Files.createDirectories(folder);
    if (Files.exists(source())) {
      remove();
    }
  }

  double untar() throws IOException {
    String archive = material.archive().toString();
    long start = System.nanoTime();
    Command.run("tar", "-C", folder.toString(), "-xf", archive);
    return seconds(start);
  }

  void ensureSource() throws IOException {
    if (!Files.exists(source())) {
      prepareUntar();
      untar();
    }
  }

  double remove() throws IOException {
    long start = System.nanoTime();
    Command.run("rm", "-rf", source().toString());
    return seconds(start);
  }

  private Path source() {
    return folder.resolve("source");
  }

  void ensureFound() throws IOException {
    Path tree = backing.resolve("found");
    if (!Files.exists(tree)) {
      material.makeFound(tree);
      giveToServer(tree);
    }
  }

  double find() throws IOException {
    long start = System.nanoTime();
    String said =
        Command.run("sh", "-c", "find \"$0\" -type f | wc -l", folder.resolve("found").toString());
    double figure = seconds(start);
    if (Integer.parseInt(said) != material.found()) {
      throw new IOException("find saw " + said + " files instead of " + material.found());
    }
    return figure;
  }

  void ensureRepository() throws IOException {
    Path repository = backing.resolve("repository");
    if (!Files.exists(repository)) {
      Command.run("cp", "-a", material.repository().toString(), repository.toString());
      giveToServer(repository);
    }
  }

  double gitStatus() throws IOException {
    long start = System.nanoTime();
    String said = Material.git(folder.resolve("repository"), "status", "--porcelain");
    double figure = seconds(start);
    if (!said.isEmpty()) {
      throw new IOException("git status saw changes where there are none: " + said);
    }
    return figure;
  }

  /** What root makes on the disk would otherwise not be the server's to change. */
  private void giveToServer(Path tree) throws IOException {
    Command.run("chown", "-R", "--reference=" + backing, tree.toString());
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
