package dev.hostshare.perf.work;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every work on a plain folder. */
class WorksTest {
  @TempDir Path folder;

  private Place place() {
    return Place.of(folder, folder, 200, 2 << 20, new Material(folder.resolve("m"), 50, 100, 50));
  }

  private static void run(Work work, Place place) throws IOException {
    work.prepare().in(place);
    assertTrue(work.run().in(place) > 0, work.id());
  }

  private static Work work(String id) {
    return Works.CALLS.stream().filter(w -> w.id().equals(id)).findFirst().orElseThrow();
  }

  @Test
  void everyWorkCanBeRepeated() throws IOException {
    var place = place();
    for (int round = 0; round < 2; round++) {
      for (var works : List.of(Works.CALLS, Works.APPLICATIONS)) {
        for (var work : works) {
          run(work, place);
        }
      }
    }
  }

  @Test
  void databaseIsServed() throws IOException {
    assumeTrue(Files.isDirectory(Path.of("/usr/lib/postgresql")), "PostgreSQL is not installed");
    // Its user must be able to get there.
    for (Path at = folder; at != null && !at.equals(Path.of("/tmp")); at = at.getParent()) {
      Files.setPosixFilePermissions(at, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    run(Works.DATABASE.getFirst(), place());
  }

  @Test
  void everyWorkCanBeDoneAlone() throws IOException {
    for (var work : Works.CALLS) {
      var alone = Files.createDirectory(folder.resolve(work.id()));
      run(work, Place.of(alone, alone, 100, 1 << 20, new Material(alone, 1, 1, 1)));
    }
  }

  @Test
  void aWrongPageIsSeen() throws IOException {
    var place = place();
    run(work("seq-read-warm"), place);
    var big = folder.resolve("big");
    var bytes = Files.readAllBytes(big);
    // The second page where the third should be.
    System.arraycopy(bytes, 4096, bytes, 8192, 4096);
    Files.write(big, bytes);
    assertThrows(IOException.class, () -> work("seq-read-warm").run().in(place));
  }

  @Test
  void aWrongByteInASmallFileIsSeen() throws IOException {
    var place = place();
    run(work("open-warm"), place);
    var file = folder.resolve("files/folder-001/file-07.txt");
    var bytes = Files.readAllBytes(file);
    bytes[4000]++;
    Files.write(file, bytes);
    assertThrows(IOException.class, () -> work("open-warm").run().in(place));
  }
}
