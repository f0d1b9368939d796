package dev.hostshare.perf.workload;

import static dev.hostshare.perf.measure.Unit.SECONDS;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** git's daily work. Figures are seconds, with the program's start. */
final class Git {
  private final Path clone;
  private final Material material;
  private final int files;
  private int branch;

  private Git(Place place, String folder, int files) {
    clone = place.folder().resolve(folder);
    material = place.material();
    this.files = files;
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        onClone("git-clone", "git clone")
            .standsFor("starting with a project")
            .prepare(p -> at(p).remove())
            .check(p -> at(p).check())
            .run((p, watch) -> at(p).clone(watch)),
        onClone("git-checkout", "git checkout of another branch")
            .standsFor("changing branches")
            .prepare(p -> at(p).ensure())
            .check(p -> at(p).check())
            .run((p, watch) -> at(p).checkout(watch)),
        Workload.named("git-status", "git status of a large repository, warm")
            .in(SECONDS)
            .developer()
            .keeps(s -> Material.repositoryFootprint("large-clone", s.repository()))
            .worksOn(s -> Material.repositoryFootprint("large", s.repository()))
            .standsFor("prompts and editors that show what has changed")
            .warm()
            .prepare(p -> large(p).ensure())
            .run((p, watch) -> large(p).status(watch)));
  }

  private static Workload.Builder onClone(String id, String title) {
    return Workload.named(id, title)
        .in(SECONDS)
        .developer()
        .keeps(s -> Material.repositoryFootprint("clone", s.sources()))
        .worksOn(s -> Material.repositoryFootprint("small", s.sources()));
  }

  private static Git at(Place place) throws UnavailableException {
    Installed.need("git");
    return place.keep(Git.class, "git", p -> new Git(p, "clone", p.material().sources()));
  }

  private static Git large(Place place) throws UnavailableException {
    Installed.need("git");
    return place.keep(Git.class, "large-git", p -> new Git(p, "large-clone", p.material().large()));
  }

  private void remove() throws IOException {
    material.repository(files);
    Command.run("rm", "-rf", clone.toString());
    branch = 0;
  }

  private void ensure() throws IOException {
    if (!Files.exists(clone)) {
      remove();
      clone(Stopwatch.unpaced());
    }
  }

  private void clone(Stopwatch watch) throws IOException {
    Path repository = material.repository(files);
    long begin = watch.begin();
    Material.git(
        clone.getParent(),
        "clone",
        "-q",
        "--no-hardlinks",
        repository.toString(),
        clone.toString());
    watch.end(begin);
  }

  private void checkout(Stopwatch watch) throws IOException {
    branch = 1 - branch;
    long begin = watch.begin();
    Material.git(clone, "checkout", "-q", Material.BRANCHES.get(branch));
    watch.end(begin);
  }

  private void status(Stopwatch watch) throws IOException {
    long begin = watch.begin();
    String said = Material.git(clone, "status", "--porcelain");
    watch.end(begin);
    expectNothing(said);
  }

  /** With everything read again: the index is thrown away. */
  private void check() throws IOException {
    Files.delete(clone.resolve(".git/index"));
    Material.git(clone, "reset", "-q");
    expectNothing(Material.git(clone, "status", "--porcelain"));
  }

  private void expectNothing(String said) throws WrongDataException {
    if (!said.isEmpty()) {
      throw new WrongDataException(
          "git sees changes where there are none in %s: %s"
              .formatted(clone, said.lines().findFirst().orElse("")));
    }
  }
}
