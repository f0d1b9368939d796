package dev.hostshare.perf.workload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.hostshare.perf.measure.Stopwatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every workload on a plain folder. */
class WorkloadsTest {
  private static final Scale SMALL = new Scale(2 * Scale.MIB, 200, 300);
  private static final Scale LEAST = new Scale(Scale.MIB, 100, 100);

  @TempDir Path folder;

  private Place place() {
    return place(folder, SMALL);
  }

  private Place place(Path at, Scale scale) {
    return new Place(at, Optional.of(at), scale, new Material(folder.resolve("m"), scale), 42);
  }

  /** Answers false if it cannot be done here. */
  private static boolean run(Workload workload, Place place) throws IOException {
    var watch = Stopwatch.unpaced();
    try {
      workload.prepare().in(place);
      workload.run().in(place, watch);
    } catch (UnavailableException e) {
      return false;
    }
    workload.check().in(place);
    assertTrue(watch.sample(workload.unit()).figure() > 0, workload.id());
    return true;
  }

  private static Workload workload(String id) {
    return Catalog.find(id).orElseThrow();
  }

  @Test
  void everyWorkloadCanBeRepeated() throws IOException {
    try (var place = place()) {
      for (int round = 0; round < 2; round++) {
        for (var workload : Catalog.ALL) {
          if (!workload.id().equals("pgbench")) {
            assertTrue(run(workload, place) || isOfOthers(workload), workload.id());
          }
        }
      }
    }
  }

  /** It needs a program that is not installed. */
  private static boolean isOfOthers(Workload workload) {
    return switch (workload.id()) {
      case "git-clone", "git-checkout", "git-status" -> !Installed.has("git");
      case "sqlite" -> !Installed.has("sqlite3");
      default -> false;
    };
  }

  @Test
  void everyOperationCanBeMeasuredAloneAndStaysWithinItsFootprint() throws IOException {
    for (var workload : Catalog.ALL) {
      if (!workload.id().equals("pgbench")) {
        assertStaysWithinItsFootprint(workload, LEAST);
      }
    }
  }

  /** Most of a repository of any size are its objects' folders, of a large one its objects. */
  @Test
  void aLargeRepositoryStaysWithinItsFootprint() throws IOException {
    assertStaysWithinItsFootprint(workload("git-checkout"), new Scale(Scale.MIB, 2000, 100));
  }

  private void assertStaysWithinItsFootprint(Workload workload, Scale scale) throws IOException {
    var alone = Files.createDirectory(folder.resolve(workload.id()));
    var material = Files.createDirectory(folder.resolve(workload.id() + "-material"));
    try (var place =
        new Place(alone, Optional.of(alone), scale, new Material(material, scale), 42)) {
      run(workload, place);
      assertWithin(workload.footprint().apply(scale), alone, workload.id());
      assertWithin(workload.material().apply(scale), material, workload.id());
    }
  }

  private static void assertWithin(Footprint footprint, Path folder, String id) throws IOException {
    long inodes = 0;
    long bytes = 0;
    try (var there = Files.walk(folder)) {
      for (var path : there.skip(1).toList()) {
        inodes++;
        bytes += (Files.size(path) + Content.PAGE - 1) / Content.PAGE * Content.PAGE;
      }
    }
    assertTrue(inodes <= footprint.inodes(), id + " has " + inodes + ", not " + footprint);
    assertTrue(bytes <= footprint.bytes(), id + " has " + bytes + ", not " + footprint);
  }

  @Test
  void aHalfMadeRepositoryIsMadeAnew() throws IOException {
    assumeTrue(Installed.has("git"), "git is not installed");
    var material = Files.createDirectory(folder.resolve("m"));
    var making = Thread.currentThread();
    try (var place = place();
        var events = folder.getFileSystem().newWatchService()) {
      material.register(events, StandardWatchEventKinds.ENTRY_CREATE);
      Thread.ofVirtual()
          .start(
              () -> {
                try {
                  events.take();
                  making.interrupt();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      assertThrows(IOException.class, () -> workload("git-clone").prepare().in(place));
      assertTrue(Thread.interrupted());
      assertTrue(run(workload("git-clone"), place));
    }
  }

  @Test
  void theDatabaseIsServed() throws IOException {
    assumeTrue(Files.isDirectory(Path.of("/usr/lib/postgresql")), "PostgreSQL is not installed");
    // Its user must be able to get there.
    for (Path at = folder; at != null && !at.equals(Path.of("/tmp")); at = at.getParent()) {
      Files.setPosixFilePermissions(at, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    try (var place = place()) {
      assumeTrue(run(workload("pgbench"), place), "not root");
      assertWithin(workload("pgbench").footprint().apply(SMALL), folder, "pgbench");
    }
  }

  @Test
  void aPageOfAnotherPlaceIsSeen() throws IOException {
    try (var place = place()) {
      assertTrue(run(workload("seq-read-warm"), place));
      var big = folder.resolve("big");
      var bytes = Files.readAllBytes(big);
      System.arraycopy(bytes, 4096, bytes, 8192, 4096);
      Files.write(big, bytes);
      assertSeen("seq-read-warm", place, "at offset 8,192 of " + big);
    }
  }

  @Test
  void aWrongByteIsSeenWhereItIs() throws IOException {
    try (var place = place()) {
      assertTrue(run(workload("open-warm"), place));
      var file = folder.resolve("files/folder-001/file-07.txt");
      var bytes = Files.readAllBytes(file);
      bytes[4001]++;
      Files.write(file, bytes);
      assertSeen("open-warm", place, "at offset 4,001 of " + file);
    }
  }

  @Test
  void aMissingFileIsSeen() throws IOException {
    try (var place = place()) {
      assertTrue(run(workload("list-warm"), place));
      Files.delete(folder.resolve("files/folder-001/file-07.txt"));
      assertSeen("list-warm", place, "201 entries instead of 202");
    }
  }

  @Test
  void aMissingFileAmongModulesIsSeen() throws IOException {
    try (var place = place()) {
      workload("modules-walk").prepare().in(place);
      Files.delete(folder.resolve("node_modules/package-1/dist/esm/file-2.js"));
      assertSeen("modules-walk", place, "entries with ");
    }
  }

  @Test
  void aTreeThatStaysIsSeen() throws IOException {
    try (var place = place()) {
      for (var id : List.of("rm", "modules-rm")) {
        assertTrue(run(workload(id), place), id);
        Files.createDirectory(folder.resolve(id.equals("rm") ? "source" : "node_modules"));
        var seen = assertThrows(WrongDataException.class, () -> workload(id).check().in(place), id);
        assertTrue(seen.getMessage().contains("a tree that was removed"), seen.getMessage());
      }
    }
  }

  @Test
  void theReadersSeeWrongBytes() throws IOException {
    try (var place = place()) {
      assertTrue(run(workload("readers-4"), place));
      var big = folder.resolve("big");
      Files.write(big, new byte[(int) Files.size(big)]);
      assertSeen("readers-4", place, "wrong data at offset");
      assertSeen("mmap-read-warm", place, "wrong data at offset");
      assertSeen("rand-read-warm", place, "wrong data at offset");
    }
  }

  private static void assertSeen(String id, Place place, String what) {
    var watch = Stopwatch.unpaced();
    var seen =
        assertThrows(WrongDataException.class, () -> workload(id).run().in(place, watch), id);
    assertTrue(seen.getMessage().contains(what), seen.getMessage());
  }

  @Test
  void noTwoPagesAreAlike() {
    var pages = new HashSet<List<Byte>>();
    var content = new Content(1);
    for (long file = 0; file < 20; file++) {
      var bytes = content.of(file).bytes(20 * Content.PAGE);
      for (int page = 0; page < 20; page++) {
        var its = new ArrayList<Byte>();
        for (int i = 0; i < 64; i++) {
          its.add(bytes[page * Content.PAGE + i]);
        }
        assertTrue(pages.add(its), "page " + page + " of " + file);
      }
    }
  }

  @Test
  void namesAreTheirOwn() {
    var ids = Catalog.ALL.stream().map(Workload::id).toList();
    assertEquals(ids.size(), new HashSet<>(ids).size());
    for (var workload : Catalog.ALL) {
      assertFalse(workload.standsFor().isEmpty(), workload.id());
    }
    assertEquals(100_000, Scale.ofSize(Suite.STANDARD.size()).crowd());
  }
}
