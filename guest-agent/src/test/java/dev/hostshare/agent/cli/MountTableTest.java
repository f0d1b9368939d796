package dev.hostshare.agent.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

final class MountTableTest {
  @Test
  void readsALineWithAnyNumberOfOptionalFields() {
    var mount =
        MountTable.parse(
            "62 28 0:41 / /mnt/a\\040b rw,relatime shared:1 master:2 - fuse.hostshare /Users/me/app rw,user_id=0");
    assertEquals(Path.of("/mnt/a b"), mount.mountPoint());
    assertEquals("/Users/me/app", mount.source());
    assertTrue(mount.isOurs());
    assertEquals("ext4", MountTable.parse("1 1 8:1 / / rw - ext4 /dev/sda rw").type());
  }

  @Test
  void mountsOfOthersAreNotOurs() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"), ISO_8859_1)) {
      int id = Integer.parseInt(line.substring(0, line.indexOf(' ')));
      assertEquals(line.contains(" - fuse.hostshare "), MountTable.isOurs(id), line);
    }
    assertFalse(MountTable.isOurs(-1));
  }

  @Test
  void findsTheRootOfThisMachine() throws Exception {
    assertTrue(MountTable.at(Path.of("/")).isPresent());
  }
}
