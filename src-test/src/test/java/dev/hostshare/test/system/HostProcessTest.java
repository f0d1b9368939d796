package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Detail;
import dev.hostshare.proto.v1.Opendir;
import dev.hostshare.proto.v1.Readdir;
import dev.hostshare.proto.v1.Walk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Host processes and guest processes on the same files: locks, content, 100,000 entries. */
@SystemTest
class HostProcessTest {
  private static Lab lab;

  @BeforeAll
  static void start() {
    // A guest and five clients that know 100,000 entries each; what is gone may come back for 30 s.
    lab = Lab.startWith(Driver.KERNEL, "", "--memory", "1g");
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
      var text = "host " + i + ": " + "x".repeat(i * 500) + ".";
      Files.writeString(file, text);
      if (i == 0) {
        Lab.own(file);
      }
      assertEquals(text, lab.guest().shell("cat " + lab.mnt() + "/shared"));
      lab.guest().shell("echo guest %d > %s/shared".formatted(i, lab.mnt()));
      assertEquals("guest " + i + "\n", Files.readString(file));
    }
  }

  /**
   * 100,000 entries, while others come and go on the host. The server tells them with their
   * attributes in under a second; in the guest ls(1) takes a system call for each.
   */
  @Test
  void hugeDirectoryIsListedWholeAndByTheServerWithinASecond() throws Exception {
    var folder = Files.createDirectory(lab.host().resolve("huge"));
    for (int i = 0; i < 100_000; i++) {
      Files.createFile(folder.resolve("entry" + i));
    }
    Command.run("chown", "-R", Server.UID + ":" + Server.GID, folder.toString()).expectSuccess();
    var churning = new AtomicBoolean(true);
    var churn = new FutureTask<Integer>(() -> churn(folder, churning));
    Thread.ofPlatform().start(churn);
    try {
      for (int round = 0; round < 2; round++) {
        // ls(1) minds what goes between readdir and stat; nothing else may be amiss.
        lab.guest()
            .shell(
                "ls -1sU %s/huge > /run/list 2> /run/said || ! grep -v /come /run/said"
                    .formatted(lab.mnt()));
        assertEquals(
            "100000",
            lab.guest().shell("grep -o 'entry[0-9]*' /run/list | tee /run/names | wc -l"));
        assertEquals("100000", lab.guest().shell("sort -u /run/names | wc -l"));
      }
      long best = Long.MAX_VALUE;
      for (int round = 0; round < 5; round++) {
        best = Math.min(best, timeListing());
      }
      assertTrue(best < 1_000_000_000L, "the server took " + best / 1_000_000 + " ms");
    } finally {
      churning.set(false);
    }
    assertTrue(churn.get() > 100, "entries came and went");
  }

  /** Makes and removes entries, some thousand a second; answers how many. */
  private static int churn(Path folder, AtomicBoolean on) throws IOException {
    int made = 0;
    for (; on.get(); made++) {
      Path entry = Files.createFile(folder.resolve("come" + made % 9));
      LockSupport.parkNanos(200_000);
      Files.delete(entry);
    }
    return made;
  }

  /** Lists the huge directory with attributes over the protocol; answers the nanoseconds. */
  private static long timeListing() {
    try (var client = RawClient.attach(lab.socket())) {
      long root = client.mount(lab.host().toString()).getRoot().getNode();
      var walk = Walk.newBuilder().setNode(root).addNames(RawClient.bytes("huge"));
      long node =
          client.call(ClientFrame.newBuilder().setWalk(walk)).getWalked().getEntries(0).getNode();
      long start = System.nanoTime();
      var opendir = Opendir.newBuilder().setNode(node);
      long handle =
          client.call(ClientFrame.newBuilder().setOpendir(opendir)).getOpened().getHandle();
      int listed = 0;
      var readdir =
          Readdir.newBuilder().setHandle(handle).setSize(1 << 19).setDetail(Detail.ATTRIBUTES);
      for (boolean end = false; !end; ) {
        var entries = client.call(ClientFrame.newBuilder().setReaddir(readdir)).getEntries();
        for (var entry : entries.getEntriesList()) {
          if (entry.getName().byteAt(0) == 'e') { // the others come and go
            assertTrue(entry.getEntry().getAttr().getMode() != 0);
            listed++;
          }
        }
        end = entries.getEntriesCount() == 0 || entries.getEnd();
        if (!end) {
          readdir.setCookie(entries.getEntries(entries.getEntriesCount() - 1).getCookie());
        }
      }
      assertEquals(100_000, listed);
      return System.nanoTime() - start;
    }
  }
}
