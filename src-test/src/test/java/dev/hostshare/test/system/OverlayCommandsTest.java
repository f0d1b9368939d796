package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code hostshare overlay ...}, with the server running and without. */
@SystemTest
class OverlayCommandsTest {
  private Lab lab;

  @BeforeEach
  void start() {
    lab = Lab.start(Driver.KERNEL, "");
    lab.guest()
        .shell(
            "cd %s; echo x > f; chown 999:998 f; chmod 4750 f; mkdir d; mknod d/dev c 1 3; chown 5:6 d"
                .formatted(lab.mnt()));
  }

  @AfterEach
  void stop() {
    if (lab != null) {
      lab.close();
    }
  }

  private String overlay(String... arguments) {
    var line = new java.util.ArrayList<>(java.util.List.of("overlay"));
    line.addAll(java.util.List.of(arguments));
    return lab.hostshare(line.toArray(String[]::new)).expectSuccess();
  }

  private String host(String name) {
    return lab.host().resolve(name).toString();
  }

  private String guestStat(String name) {
    return lab.guest().shell("stat -c '%u %g %a' " + lab.mnt() + "/" + name);
  }

  @Test
  void recordsAreListedAndShown() {
    for (boolean running : new boolean[] {true, false}) {
      var all = overlay("ls");
      assertTrue(all.contains(host("f")) && all.contains(host("d/dev")), all);
      var below = overlay("ls", host("d"));
      assertTrue(below.contains(host("d/dev")) && !below.contains(host("f")), below);
      var record = overlay("get", host("f"));
      assertTrue(
          record.contains("999") && record.contains("998") && record.contains("4750"), record);
      if (running) {
        lab.unmount();
        assertEquals(0, lab.server().stop());
      }
    }
  }

  @Test
  void recordIsSetAndClearedUnderARunningGuest() {
    overlay("set", "--uid=77", "--mode=0604", host("f"));
    lab.unmount();
    lab.mount();
    assertEquals("77 998 604", guestStat("f"));
    overlay("clear", host("f"));
    lab.unmount();
    lab.mount();
    assertEquals(Server.UID + " " + Server.GID + " 644", guestStat("f"));
    var said = lab.hostshare("overlay", "get", host("f")).expectFailure();
    assertTrue(said.contains(host("f")), said);
  }

  @Test
  void pathOutsideEveryShareIsRefused() {
    for (var path : new String[] {"/etc/passwd", host("../state"), host("missing")}) {
      var said = lab.hostshare("overlay", "set", "--uid=1", path).expectFailure();
      assertFalse(said.contains("Exception"), said);
    }
  }

  @Test
  void verifyFindsAndGcRemovesWhatLostItsFile() throws IOException {
    assertEquals(0, lab.hostshare("overlay", "verify").status());
    // A folder that its user may not enter for now has lost nothing.
    Files.setPosixFilePermissions(lab.host().resolve("d"), Set.of());
    var hidden = lab.hostshare("overlay", "verify");
    assertEquals(1, hidden.status(), hidden.said());
    assertTrue(hidden.said().contains(host("d/dev") + ": its file system"), hidden.said());
    assertEquals("0 records removed", overlay("gc"));
    Files.setPosixFilePermissions(
        lab.host().resolve("d"), PosixFilePermissions.fromString("rwxr-xr-x"));
    lab.unmount();
    assertEquals(0, lab.server().stop());
    Files.delete(lab.host().resolve("f"));
    lab.server().start();
    var found = lab.hostshare("overlay", "verify");
    assertEquals(1, found.status(), found.said());
    assertTrue(found.said().contains(host("f")), found.said());
    overlay("gc");
    assertEquals(0, lab.hostshare("overlay", "verify").status());
    assertFalse(overlay("ls").contains(host("f")));
    assertTrue(overlay("ls").contains(host("d/dev")));
    lab.mount();
  }

  @Test
  void exportIsImportedIntoAnEmptyStore() throws IOException {
    var exported = lab.folder().resolve("run/exported");
    Files.writeString(exported, overlay("export") + "\n");
    overlay("clear", "-r", lab.host().toString());
    assertEquals("", overlay("ls"));
    overlay("import", exported.toString());
    lab.unmount();
    lab.mount();
    assertEquals("999 998 4750", guestStat("f"));
    assertEquals("5 6 755", guestStat("d"));
    assertEquals(
        "character special file 1 3",
        lab.guest().shell("stat -c '%F %t %T' " + lab.mnt() + "/d/dev"));
  }

  @Test
  void corruptOrMissingStoreIsAClearError() throws IOException {
    lab.unmount();
    assertEquals(0, lab.server().stop());
    var database = lab.state().resolve("overlay.db");
    var aside = lab.state().resolve("aside");
    Files.move(database, aside);
    assertRefusesToStart(database);
    byte[] damaged = Files.readAllBytes(aside);
    java.util.Arrays.fill(damaged, 0, Math.min(damaged.length, 8192), (byte) 0x5a);
    Files.write(database, damaged);
    Lab.own(database);
    assertRefusesToStart(database);
    Files.move(aside, database, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    lab.server().start();
    lab.mount();
    assertEquals("999 998 4750", guestStat("f"));
  }

  private void assertRefusesToStart(Path database) {
    var said =
        Server.command(
                "serve",
                "--state",
                lab.state().toString(),
                "--listen",
                lab.address(),
                "--share",
                lab.host().toString())
            .expectFailure();
    assertTrue(said.contains(database.toString()), said);
    assertFalse(said.contains("\tat "), "no stack trace: " + said);
  }

  /** `overlay ls` while a guest changes owners: answers whole lines, disturbs nobody. */
  @Test
  void listingGoesOnBesideChanges() throws InterruptedException {
    var done = new AtomicBoolean();
    var lister =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    overlay("ls");
                  }
                });
    lab.guest()
        .shell(
            "cd %s; for i in $(seq 300); do echo > g$i; chown $i g$i; done".formatted(lab.mnt()));
    done.set(true);
    lister.join();
    assertEquals(300, overlay("ls").lines().filter(line -> line.contains("/g")).count());
  }
}
