package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Host processes and guest processes on the same files: locks, content, 100,000 entries. */
@SystemTest
class HostProcessTest {
  private static Lab lab;

  @BeforeAll
  static void start() {
    lab = Lab.start(Driver.KERNEL, "");
  }

  @AfterAll
  static void stop() {
    if (lab != null) {
      lab.close();
    }
  }

  /** Takes a lock, says "locked", and keeps it until its input ends. */
  private static final String PYTHON_LOCK =
      """
      import fcntl, sys
      f = open(sys.argv[1], 'r+')
      how = fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[3] == 'now' else 0)
      (fcntl.flock if sys.argv[2] == 'flock' else fcntl.lockf)(f, how)
      print('locked', flush=True)
      sys.stdin.read()
      """;

  private static Process hold(boolean inGuest, String name, String kind, String when)
      throws IOException {
    var path = inGuest ? lab.mnt() + "/" + name : lab.host().resolve(name).toString();
    var line = List.of("python3", "-c", PYTHON_LOCK, path, kind, when);
    var builder = inGuest ? lab.guest().builder(line) : new ProcessBuilder(line);
    return builder.start();
  }

  private static boolean isLocked(Process process) throws IOException {
    return "locked".equals(process.inputReader(StandardCharsets.UTF_8).readLine());
  }

  private static void release(Process process) throws Exception {
    process.getOutputStream().close();
    assertTrue(process.waitFor(20, TimeUnit.SECONDS));
  }

  @Test
  void locksExcludeAcrossTheMount() throws Exception {
    for (var kind : new String[] {"flock", "lockf"}) {
      for (boolean guestFirst : new boolean[] {true, false}) {
        var name = kind + guestFirst;
        Files.writeString(lab.host().resolve(name), "x");
        Lab.own(lab.host().resolve(name));
        var holder = hold(guestFirst, name, kind, "now");
        assertTrue(isLocked(holder), kind);
        var refused = hold(!guestFirst, name, kind, "now");
        assertFalse(isLocked(refused), () -> kind + ", guest first: " + guestFirst);
        refused.destroyForcibly().waitFor();
        var waiting = hold(!guestFirst, name, kind, "wait");
        var same = hold(guestFirst, name, kind, "now");
        assertFalse(isLocked(same), kind);
        same.destroyForcibly().waitFor();
        assertTrue(waiting.isAlive());
        release(holder);
        assertTrue(isLocked(waiting), () -> kind + ", waiting, guest first: " + guestFirst);
        release(waiting);
      }
    }
  }

  @Test
  void openSeesWhatTheOtherSideHasClosed() throws IOException {
    var file = lab.host().resolve("shared");
    for (int i = 0; i < 30; i++) {
      var text = "host " + i + " " + "x".repeat(i * 500);
      Files.writeString(file, text);
      if (i == 0) {
        Lab.own(file);
      }
      assertEquals(text, lab.guest().shell("cat " + lab.mnt() + "/shared"));
      lab.guest().shell("echo guest %d > %s/shared".formatted(i, lab.mnt()));
      assertEquals("guest " + i + "\n", Files.readString(file));
    }
  }

  /** 100,000 entries with attributes in under a second, while entries come and go on the host. */
  @Test
  void hugeDirectoryIsListedInASecond() throws Exception {
    var folder = Files.createDirectory(lab.host().resolve("huge"));
    for (int i = 0; i < 100_000; i++) {
      Files.createFile(folder.resolve("entry" + i));
    }
    Command.run("chown", "-R", Server.UID + ":" + Server.GID, folder.toString()).expectSuccess();
    long best = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) {
      lab.unmount();
      lab.mount();
      // Entries that come and go during the first two listings; the third has the machine for
      // itself.
      var churn =
          round == 2
              ? null
              : new ProcessBuilder(
                      "sh",
                      "-c",
                      "while :; do for i in 1 2 3 4 5 6 7 8 9; do touch %1$s/come$i; rm %1$s/come$i; done; done"
                          .formatted(folder))
                  .start();
      long start = System.nanoTime();
      var listed =
          lab.guest()
              .shell(
                  "find %s/huge -mindepth 1 -name 'entry*' -printf '%%f %%i %%s %%m %%T@\\n' > /run/list"
                      .formatted(lab.mnt()));
      best = Math.min(best, System.nanoTime() - start);
      assertEquals("", listed);
      if (churn != null) {
        churn.destroyForcibly().waitFor();
      }
      assertEquals("100000", lab.guest().shell("cut -d' ' -f1 /run/list | sort -u | wc -l"));
      assertEquals("100000", lab.guest().shell("wc -l < /run/list"));
    }
    assertTrue(best < 1_000_000_000L, "took " + best / 1_000_000 + " ms");
  }
}
