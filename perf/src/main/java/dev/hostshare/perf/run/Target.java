package dev.hostshare.perf.run;

import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.sys.Command;
import dev.hostshare.perf.workload.Material;
import dev.hostshare.perf.workload.Place;
import dev.hostshare.perf.workload.Scale;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** A target in a run: its work folder with the two places in it, counted and practice. */
final class Target implements AutoCloseable {
  private static final Path DROP_CACHES = Path.of("/proc/sys/vm/drop_caches");
  private static final long LOOK_NANOS = 1_000_000;

  private final TargetSpec spec;
  private final Scale scale;
  private final Scale practiceScale;
  private final List<Material> materials;
  private final long seed;
  private final WorkFolder folder;
  private Place counted;
  private Place practice;
  private String lost;

  /**
   * Makes its work folder.
   *
   * @param materials for the counted place, for the one to practise in
   * @param peerLimit when its peer must show it, at the latest
   */
  Target(
      TargetSpec spec,
      Scale scale,
      Scale practiceScale,
      List<Material> materials,
      long seed,
      Duration peerLimit)
      throws IOException {
    this.spec = spec;
    this.scale = scale;
    this.practiceScale = practiceScale;
    this.materials = materials;
    this.seed = seed;
    folder = WorkFolder.make(spec.folder());
    try {
      awaitPeer(peerLimit);
      makePlaces();
    } catch (IOException e) {
      folder.close();
      throw e;
    }
  }

  String name() {
    return spec.name();
  }

  Place counted() {
    return counted;
  }

  Place practice() {
    return practice;
  }

  /** Why it is not measured any more. */
  Optional<String> lost() {
    return Optional.ofNullable(lost);
  }

  void lose(String reason) {
    lost = reason;
  }

  /** What is made here must be seen there, if only after its caches have run out. */
  private void awaitPeer(Duration limit) throws IOException {
    if (spec.peer().isEmpty()) {
      return;
    }
    Path there = spec.peer().get().resolve(folder.name());
    long end = System.nanoTime() + limit.toNanos();
    while (!Files.exists(there)) {
      if (Thread.currentThread().isInterrupted()) {
        throw new InterruptedIOException("interrupted");
      }
      if (System.nanoTime() > end) {
        throw new RefusedException(
            "%s: peer=%s does not show what is made in %s"
                .formatted(name(), spec.peer().get(), spec.folder()));
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  private void makePlaces() throws IOException {
    counted = makePlace("counted", scale, materials.getFirst(), seed);
    practice = makePlace("practice", practiceScale, materials.getLast(), seed + 1);
  }

  private Place makePlace(String name, Scale its, Material material, long itsSeed)
      throws IOException {
    Path made = Files.createDirectory(folder.path().resolve(name));
    Optional<Path> peer = spec.peer().map(p -> p.resolve(folder.name()).resolve(name));
    return new Place(made, peer, its, material, itsSeed);
  }

  private void remove(String name) throws IOException {
    Command.run("rm", "-rf", "--one-file-system", folder.path().resolve(name).toString());
  }

  /** From nothing: after a failure nobody knows in which state files are, and they take space. */
  void startAgain() throws IOException {
    if (!folder.isThere()) {
      throw new IOException(folder.path() + " is not there any more");
    }
    closePlaces();
    remove("counted");
    remove("practice");
    makePlaces();
  }

  private void closePlaces() throws IOException {
    try {
      counted.close();
    } finally {
      practice.close();
    }
  }

  /** Whether there is a way to make its caches cold. */
  boolean canBeCold() {
    return spec.cold().isPresent() || canDropCaches();
  }

  private static boolean canDropCaches() {
    return Files.isWritable(DROP_CACHES);
  }

  /** By its own command; else what root can do for any file system of this machine. */
  void makeCold() throws IOException {
    if (spec.cold().isPresent()) {
      try {
        Command.runAtTerminal("sh", "-c", spec.cold().get());
      } catch (InterruptedIOException e) {
        throw e;
      } catch (IOException e) {
        throw new IOException("cold=: " + e.getMessage(), e);
      }
      if (!folder.isThere()) {
        throw new IOException(
            "cold=%s: %s is not there afterwards".formatted(spec.cold().get(), folder.path()));
      }
    } else {
      dropCaches();
    }
  }

  /** The kernel's alone, where that is allowed: for practice, which need not be quite cold. */
  static void dropCaches() throws IOException {
    if (canDropCaches()) {
      Calls.sync();
      Files.writeString(DROP_CACHES, "3");
    }
  }

  /** Removes what it has made. */
  @Override
  public void close() throws IOException {
    try (var _ = new Removal(folder)) {
      closePlaces();
    }
  }

  /** Of a work folder, which says where it is left. */
  private record Removal(WorkFolder folder) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      try {
        folder.close();
      } catch (IOException e) {
        throw new IOException(
            "%s is left: %s; remove it: rm -r %s"
                .formatted(folder.path(), e.getMessage(), folder.path()),
            e);
      }
    }
  }
}
