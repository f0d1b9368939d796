package dev.hostshare.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders are renamed here where others are mounted: the path leads elsewhere either way. */
final class MadeFolderTest {
  @TempDir private Path lab;
  private Path parent;
  private Path path;

  @BeforeEach
  void name() {
    parent = lab.resolve("above/parent");
    path = parent.resolve("made");
  }

  private MadeFolder make() throws IOException {
    return MadeFolder.make(path).orElseThrow();
  }

  @Test
  void isMadeWithWhatIsAboveItAndRemovedAlone() throws Exception {
    var made = make();
    assertTrue(Files.isDirectory(path));
    assertTrue(made.remove());
    assertFalse(Files.exists(path));
    assertTrue(Files.isDirectory(parent));
    assertTrue(made.remove(), "it is gone already");
  }

  @Test
  void whatWasThereBeforeIsNotOurs() throws Exception {
    Files.createDirectories(path);
    assertEquals(Optional.empty(), MadeFolder.make(path));
    Files.delete(path);
    Files.createFile(path);
    assertThrows(FileAlreadyExistsException.class, () -> MadeFolder.make(path));
  }

  @Test
  void whatIsInItKeepsIt() throws Exception {
    var made = make();
    Files.createFile(path.resolve("file"));
    assertThrows(DirectoryNotEmptyException.class, made::remove);
  }

  @Test
  void anotherAtItsPathStaysAndItGoesWhenItIsSeenAgain() throws Exception {
    var made = make();
    for (Path mountPoint : new Path[] {parent.getParent(), parent, path}) {
      Path hidden = Files.move(mountPoint, lab.resolve("hidden"));
      Files.createDirectories(path);
      assertFalse(made.remove(), mountPoint::toString);
      assertTrue(Files.isDirectory(path), mountPoint::toString);

      Files.move(mountPoint, lab.resolve("elsewhere" + mountPoint.getNameCount()));
      if (!mountPoint.equals(path)) {
        assertFalse(made.remove(), "there is nothing at the path now");
      }
      Files.move(hidden, mountPoint);
    }
    assertTrue(made.remove());
    assertFalse(Files.exists(path));
  }
}
