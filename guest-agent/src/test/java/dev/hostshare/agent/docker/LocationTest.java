package dev.hostshare.agent.docker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LocationTest {
  @TempDir private Path temporary;

  /** Without symbolic links. */
  private String root;

  /**
   * <pre>
   * dir/file
   * link      -> dir
   * up        -> dir/..
   * dangling  -> dir/none/deep
   * out       -> /none/at/all
   * loop      -> loop
   * deep/in   -> ../dir
   * </pre>
   */
  @BeforeEach
  void makeTree() throws IOException {
    root = temporary.toRealPath().toString();
    Files.createDirectories(temporary.resolve("dir"));
    Files.createDirectories(temporary.resolve("deep"));
    Files.createFile(temporary.resolve("dir/file"));
    Files.createSymbolicLink(temporary.resolve("link"), Path.of("dir"));
    Files.createSymbolicLink(temporary.resolve("up"), Path.of("dir/.."));
    Files.createSymbolicLink(temporary.resolve("dangling"), Path.of("dir/none/deep"));
    Files.createSymbolicLink(temporary.resolve("out"), Path.of("/none/at/all"));
    Files.createSymbolicLink(temporary.resolve("loop"), Path.of("loop"));
    Files.createSymbolicLink(temporary.resolve("deep/in"), Path.of("../dir"));
  }

  private String below(String path) throws UncheckableException {
    String found = Location.of(root + path).path();
    return found.startsWith(root) ? found.substring(root.length()) : "outside: " + found;
  }

  @Test
  void followsWhatExists() throws Exception {
    assertEquals("/dir/file", below("/dir/file"));
    assertEquals("/dir/file", below("/link/file"));
    assertEquals("/dir/file", below("//link//./file"));
    assertEquals("/dir", below("/deep/in/"));
    assertEquals("", below("/up"));
    assertEquals("", below("/deep/in/.."));
    assertEquals("/", Location.of("/").path());
    assertEquals("/", Location.of("/../..").path());
  }

  @Test
  void appendsWhatDoesNot() throws Exception {
    assertEquals("/dir/a/b", below("/link/a/b"));
    assertEquals("/dir/a/b", below("/link//a///b//"));
    assertEquals("/dir/file/a", below("/dir/file/a"));
    assertEquals("/none/at/all", Location.of("/none/at/all").path());
    assertEquals("/none", Location.of("/none").path());
  }

  @Test
  void followsLinksToWhatDoesNotExist() throws Exception {
    assertEquals("/dir/none/deep", below("/dangling"));
    assertEquals("/dir/none/deep/x", below("/dangling/x"));
    assertEquals("outside: /none/at/all", below("/out"));
    assertEquals("outside: /none/at/all/x", below("/out/x/"));
  }

  @Test
  void takesBackWhatDoesNotExist() throws Exception {
    assertEquals("/dir/x", below("/dir/none/../x"));
    assertEquals("/x", below("/dir/none/../../x"));
    assertEquals("/dir/x", below("/deep/none/../in/x"));
  }

  @Test
  void whatCannotBeFollowedIsRefused() {
    for (String path :
        new String[] {
          root + "/loop",
          root + "/loop/x",
          "/proc/self/root",
          "/proc/self/root/none",
          "/proc/thread-self/cwd/x",
          "/dev/fd/0/x",
          root + "/" + "x".repeat(300)
        }) {
      assertThrows(UncheckableException.class, () -> Location.of(path), path);
    }
  }

  @Test
  void tellsMountsApart() throws Exception {
    assertNotEquals(Location.of("/").mountId(), Location.of("/proc/version").mountId());
    assertEquals(Location.of("/proc").mountId(), Location.of("/proc/none/at/all").mountId());
  }

  @Test
  void isInAFolder() {
    var location = new Location("/a/b", 0);
    assertTrue(location.isIn("/a/b"));
    assertTrue(location.isIn("/a"));
    assertTrue(location.isIn("/"));
    assertFalse(location.isIn("/a/b/c"));
    assertFalse(new Location("/ab", 0).isIn("/a"));
  }
}
