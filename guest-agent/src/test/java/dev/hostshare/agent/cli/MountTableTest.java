package dev.hostshare.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
  void findsTheRootOfThisMachine() throws Exception {
    assertTrue(MountTable.at(Path.of("/")).isPresent());
  }
}
