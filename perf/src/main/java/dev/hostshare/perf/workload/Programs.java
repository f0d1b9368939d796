package dev.hostshare.perf.workload;

import static dev.hostshare.perf.measure.Unit.SECONDS;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** tar, rm and find. Figures are seconds, with the program's start. */
final class Programs {
  private final Path folder;
  private final Material material;
  private final Scale scale;

  private Programs(Place place) {
    folder = place.folder();
    material = place.material();
    scale = place.scale();
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        onSource("untar", "tar -x of a source tree")
            .standsFor("unpacking a release, a container's layer")
            .prepare(p -> at(p).prepareUntar())
            .check(p -> at(p).compare())
            .run((p, watch) -> at(p).untar(watch)),
        onSource("tar", "tar -c of a source tree, cold")
            .standsFor("backups, a container build's context")
            .cold()
            .prepare(p -> at(p).ensureSource())
            .check(p -> at(p).compare())
            .run((p, watch) -> at(p).tar(watch)),
        onSource("rm", "rm -rf of it")
            .standsFor("cleaning up")
            .prepare(p -> at(p).ensureSource())
            .check(p -> Removal.check(at(p).source()))
            .run((p, watch) -> Removal.run(at(p).source(), watch)),
        Workload.named("find-cold", "find in a large tree, cold")
            .standsFor("looking for a file")
            .in(SECONDS)
            .developer()
            .cold()
            .keeps(s -> new Footprint("found", s.found() * 400L, s.found() * 9L / 8))
            .prepare(p -> at(p).ensureFound())
            .run((p, watch) -> at(p).find(watch)));
  }

  private static Workload.Builder onSource(String id, String title) {
    return Workload.named(id, title)
        .in(SECONDS)
        .developer()
        .worksOn(Material::archiveFootprint)
        .keeps(
            s ->
                new Footprint(
                    "source",
                    Material.sourceBytes(s.sources()),
                    Material.sourceInodes(s.sources())));
  }

  private static Programs at(Place place) {
    return place.keep(Programs.class, "programs", Programs::new);
  }

  private Path source() {
    return folder.resolve("source");
  }

  private void prepareUntar() throws IOException {
    Installed.need("tar");
    material.archive();
    if (Files.exists(source())) {
      Removal.run(source(), Stopwatch.unpaced());
    }
  }

  private void untar(Stopwatch watch) throws IOException {
    String archive = material.archive().toString();
    long begin = watch.begin();
    Command.run("tar", "-C", folder.toString(), "--no-same-owner", "-xf", archive);
    watch.end(begin);
  }

  private void ensureSource() throws IOException {
    if (!Files.exists(source())) {
      prepareUntar();
      untar(Stopwatch.unpaced());
    }
  }

  /** Names and contents; modes are for the workloads of chmod. */
  private void compare() throws IOException {
    try {
      Command.run(
          "sh",
          "-c",
          "cd \"$0\" && mkdir .compare && tar -C .compare --no-same-owner -xf \"$1\" && diff -r .compare/source \"$2\"",
          scratch().toString(),
          material.archive().toString(),
          source().toString());
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw new WrongDataException(
          "the unpacked tree is not that of the archive: " + e.getMessage());
    } finally {
      Command.run("rm", "-rf", scratch().resolve(".compare").toString());
    }
  }

  private Path scratch() throws IOException {
    return material.archive().getParent();
  }

  /** By a pipe: tar knows /dev/null, and then reads nothing. */
  private void tar(Stopwatch watch) throws IOException {
    long begin = watch.begin();
    String said = Command.run("sh", "-c", "tar -C \"$0\" -cf - source | wc -c", folder.toString());
    watch.end(begin);
    expect(said, Files.size(material.archive()), "bytes in an archive of " + source());
  }

  private void ensureFound() throws IOException {
    Installed.need("find");
    Path tree = folder.resolve("found");
    if (!Files.exists(tree)) {
      material.makeFound(tree);
    }
  }

  private void find(Stopwatch watch) throws IOException {
    long begin = watch.begin();
    String said =
        Command.run("sh", "-c", "find \"$0\" -type f | wc -l", folder.resolve("found").toString());
    watch.end(begin);
    expect(said, scale.found(), "files in " + folder.resolve("found"));
  }

  /** What a program has said is a count alone, unless something went wrong. */
  private static void expect(String said, long expected, String what) throws WrongDataException {
    if (!said.equals(Long.toString(expected))) {
      throw new WrongDataException("%s instead of %d %s".formatted(said, expected, what));
    }
  }
}
