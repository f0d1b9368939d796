package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** An overlay with more records than the server's memory could hold. */
@SystemTest
class LargeOverlayTest {
  private static final int RECORDS = 200_000;

  @Test
  void recordsBeyondTheMemoryAreListedAndCollected() throws Exception {
    try (var lab = Lab.startWith(Driver.KERNEL, "", "--memory=180m")) {
      lab.guest().shell("cd %s; echo x > f; chown 999:998 f".formatted(lab.mnt()));
      lab.unmount();
      assertEquals(0, lab.server().stop());
      addRecords(lab);
      lab.server().start();
      lab.mount();

      var line = Installation.server("overlay", "ls", "--state", lab.state().toString());
      var listing = new ProcessBuilder(Server.asUser(line)).redirectErrorStream(true).start();
      try (var listed =
          new BufferedReader(
              new InputStreamReader(listing.getInputStream(), StandardCharsets.UTF_8))) {
        assertTrue(listed.readLine().startsWith("uid=5 gid=6 " + lab.host()));
        // It is not read on: the server does not keep for it what it has, nor others waiting.
        var collect =
            Server.asUser(Installation.server("overlay", "gc", "--state", lab.state() + ""));
        assertEquals(
            RECORDS + " records removed",
            Command.run(Duration.ofMinutes(3), new ProcessBuilder(collect)).expectSuccess());
        assertTrue(listing.isAlive());
        var last = listed.lines().reduce((_, next) -> next).orElseThrow();
        assertEquals("uid=999 gid=998 " + lab.host().resolve("f"), last);
        assertTrue(listing.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, listing.exitValue());
      } finally {
        listing.destroyForcibly();
      }
      assertEquals(
          "uid=999 gid=998 " + lab.host().resolve("f"),
          lab.hostshare("overlay", "ls").expectSuccess());
      assertEquals("999 998", lab.guest().shell("stat -c '%u %g' " + lab.mnt() + "/f"));
    }
  }

  /** Those of files that are gone, before {@code f} by their path. */
  private static void addRecords(Lab lab) {
    var sql =
        """
        WITH RECURSIVE counter(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counter WHERE i < %1$d)
        INSERT INTO node (volume, inode, birth, uid, gid, type, rdev,
          parent_volume, parent_inode, parent_birth, name, path)
        SELECT volume, 4000000000 + i, i, 5, 6, 0, 0,
          parent_volume, 5000000000 + i / 100, 1, CAST('file' || i AS BLOB),
          '%2$s/a folder that is gone/' || (i / 100) || '/file' || i
        FROM counter, (SELECT volume, parent_volume FROM node WHERE uid = 999);
        """
            .formatted(RECORDS, lab.host());
    var command = Server.asUser(List.of("sqlite3", lab.state() + "/overlay.db", sql));
    Command.run(Duration.ofMinutes(1), new ProcessBuilder(command)).expectSuccess();
  }
}
