package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** kill -9, a full disk, no descriptors: clear errors in bounded time, and nothing corrupt. */
@SystemTest
class FaultTest {
  /** What the agent waits for a server that is away. */
  private static final String[] SHORT_WAIT = {"-o", "timeout=5"};

  /** What a request may take then. */
  private static final Duration BOUND = Duration.ofSeconds(20);

  private Lab lab;

  @AfterEach
  void stop() {
    if (lab != null) {
      lab.close();
    }
  }

  private String inGuest(String script) {
    return lab.guest().shell("cd " + lab.mnt() + "\n" + script);
  }

  @Test
  void killedServerGivesErrorsAndAnUnmountableMount() {
    lab = Lab.start(Driver.KERNEL, "", SHORT_WAIT);
    inGuest("echo safe > before; mkdir d; touch d/f");
    lab.server().kill();
    var failed =
        lab.guest()
            .run(BOUND, List.of("sh", "-c", "cd " + lab.mnt() + " && ls -l d && cat before"));
    assertNotEquals(0, failed.status(), failed.said());
    var written = lab.guest().run(BOUND, List.of("sh", "-c", "echo x > " + lab.mnt() + "/new"));
    assertNotEquals(0, written.status(), written.said());
    lab.agent("umount", lab.mnt()).expectSuccess();
    lab.server().start();
    lab.mount();
    assertEquals("safe", inGuest("cat before"));
    assertEquals("d/f", inGuest("ls d/f"));
  }

  /** A wait for a lock must not keep a process from being killed, nor the mount from going. */
  @Test
  void killedServerLeavesNoProcessUnkillable() throws Exception {
    lab = Lab.start(Driver.KERNEL, "", SHORT_WAIT);
    inGuest("echo x > f");
    var holder = lab.guest().builder(List.of("flock", lab.mnt() + "/f", "sleep", "1000")).start();
    lab.guest().shell("until ! flock -n %1$s/f true; do :; done".formatted(lab.mnt()));
    var waiter = lab.guest().builder(List.of("flock", lab.mnt() + "/f", "true")).start();
    lab.guest()
        .shell(
            "until grep -q flock /proc/%1$d/stack /proc/%1$d/comm; do :; done"
                .formatted(waiter.pid()));
    lab.server().kill();
    for (var process : List.of(waiter, holder)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
      assertTrue(process.waitFor(BOUND.toSeconds(), java.util.concurrent.TimeUnit.SECONDS));
    }
    lab.agent("umount", lab.mnt()).expectSuccess();
  }

  @Test
  void restartedServerIsFoundAgainByTheSameMount() {
    lab = Lab.start(Driver.KERNEL, "", SHORT_WAIT);
    inGuest("echo one > f; chown 999:998 f");
    lab.server().kill();
    lab.server().start();
    lab.guest()
        .shell(
            BOUND,
            "cd /; until [ \"$(cat %1$s/f)\" = one ]; do :; done; stat -c %%u:%%g %1$s/f; echo two > %1$s/g"
                .formatted(lab.mnt()));
    assertEquals("999:998", inGuest("stat -c %u:%g f"));
    assertEquals("two", inGuest("cat g"));
  }

  @Test
  void killedAgentLeavesWhatWasWrittenAndAMountThatCanGo() throws IOException {
    lab = Lab.start(Driver.KERNEL, "");
    inGuest("for i in $(seq 50); do echo $i > f$i; done; mkfifo p; chown 5:6 f1");
    lab.guest()
        .shell(
            """
            pid=$(%s status --json | grep -oE '"(pid|process)":[0-9]+' | head -1 | cut -d: -f2)
            kill -9 $pid
            while [ -d /proc/$pid ]; do :; done
            ! ls %s 2>/dev/null
            """
                .formatted(Installation.agent().getFirst(), lab.mnt()));
    lab.agent("umount", lab.mnt()).expectSuccess();
    for (int i = 1; i <= 50; i++) {
      assertEquals(i + "\n", Files.readString(lab.host().resolve("f" + i)));
    }
    lab.mount();
    assertEquals("5:6 fifo", inGuest("echo $(stat -c %u:%g f1) $(stat -c %F p)"));
  }

  /** Runs the body while the lab's share is a file system of 16 MiB. */
  private void onSmallDisk(Runnable body) throws IOException {
    lab = Lab.start(Driver.KERNEL, "");
    lab.unmount();
    assertEquals(0, lab.server().stop());
    var share = lab.host().toString();
    var image = lab.folder().resolve("image").toString();
    Command.run("truncate", "-s", "24M", image).expectSuccess();
    Command.run("mke2fs", "-q", "-t", "ext4", "-m", "0", "-I", "256", image).expectSuccess();
    Command.run("mount", "-o", "loop", image, share).expectSuccess();
    try {
      Lab.own(lab.host());
      lab.server().start();
      lab.mount();
      body.run();
      lab.unmount();
      assertEquals(0, lab.server().stop());
    } finally {
      Command.run("umount", share).expectSuccess();
    }
    Command.run("e2fsck", "-fn", image).expectSuccess();
  }

  @Test
  void fullDiskIsToldInTimeAndHarmsNothing() throws IOException {
    onSmallDisk(
        () -> {
          inGuest("head -c 1000000 /dev/urandom > keep; sha256sum keep > /run/sum");
          var full = lab.guest().run("sh", "-c", "cp /dev/zero " + lab.mnt() + "/fill");
          assertNotEquals(0, full.status());
          assertTrue(full.said().contains("No space left on device"), full.said());
          var more = lab.guest().run("sh", "-c", "head -c 300000 /dev/zero > " + lab.mnt() + "/x");
          assertTrue(more.said().contains("No space left on device"), more.said());
          var reserve = lab.guest().run("fallocate", "-l", "10M", lab.mnt() + "/y");
          assertTrue(reserve.said().contains("No space left on device"), reserve.said());
          inGuest("sha256sum -c /run/sum; chown 5:6 keep; ls -l");
          assertEquals("0", inGuest("df --output=avail . | tail -1 | tr -d ' '"));
          inGuest("rm -f fill x y; head -c 5000000 /dev/zero > again; sha256sum -c /run/sum");
          assertEquals("5000000", inGuest("stat -c %s again"));
          assertEquals("5:6", inGuest("stat -c %u:%g keep"));
        });
  }

  /** The server gives a removed file's space back when the guest forgets it, a moment later. */
  @Test
  void whatIsRemovedFromAFullDiskMakesRoomAtOnce() throws IOException {
    onSmallDisk(
        () ->
            inGuest(
                "set -e; for i in $(seq 20); do cp /dev/zero fill 2>/run/said && exit 1; rm fill;"
                    + " head -c 5000000 /dev/zero > again; rm again; done"));
  }

  /**
   * With the state folder's disk full no owner can be recorded: the guest is told, not deceived.
   */
  @Test
  void fullStateDiskRefusesWhatItCannotRecord() throws IOException {
    lab = Lab.start(Driver.KERNEL, "");
    lab.unmount();
    assertEquals(0, lab.server().stop());
    var state = lab.state().toString();
    var image = lab.folder().resolve("image").toString();
    Command.run("truncate", "-s", "8M", image).expectSuccess();
    Command.run("mke2fs", "-q", "-t", "ext4", "-m", "0", "-O", "^has_journal", image)
        .expectSuccess();
    Command.run("mount", "-o", "loop", image, state).expectSuccess();
    try {
      Lab.own(lab.state());
      lab.server().start();
      lab.mount();
      inGuest("for i in $(seq 200); do touch f$i; done; chown 1:1 f1");
      Command.run("cp", "/dev/zero", state + "/fill").expectFailure();
      var said =
          lab.guest()
              .run(
                  "sh",
                  "-c",
                  "cd %s; for i in $(seq 200); do head -c 60000 /dev/urandom | base64 -w0 | head -c 60000 | { read -r v; setfattr -n user.big -v \"$v\" f$i; } || exit 1; done"
                      .formatted(lab.mnt()));
      assertNotEquals(0, said.status(), "more than the disk holds was recorded?");
      assertTrue(said.said().contains("No space left on device"), said.said());
      Command.run("rm", state + "/fill").expectSuccess();
      inGuest("chown 2:2 f2");
      lab.restartEverything();
      assertEquals("1 2", inGuest("echo $(stat -c %u f1 f2)"));
      lab.unmount();
      assertEquals(0, lab.server().stop());
    } finally {
      lab.server().close();
      Command.run("umount", state).expectSuccess();
    }
  }

  @Test
  void serverShortOfDescriptorsRefusesAndRecovers() throws IOException {
    lab = Lab.start(Driver.KERNEL, "");
    lab.unmount();
    assertEquals(0, lab.server().stop());
    try (var poor =
        Server.startWrapped(
            List.of("prlimit", "--nofile=320:320", "--"),
            "--state",
            lab.state().toString(),
            "--listen",
            lab.address(),
            "--share",
            lab.host().toString())) {
      lab.mount();
      inGuest(
          """
          for d in $(seq 400); do mkdir -p t/d$d/e; echo $d > t/d$d/e/f; done
          """);
      // A guest that holds more files open than the server can: an error, and no harm to the
      // others.
      var said =
          lab.guest()
              .run(
                  "bash",
                  "-c",
                  "ulimit -n 4096; cd %s; for i in $(seq 600); do exec {fd}> open$i || exit 3; done"
                      .formatted(lab.mnt()));
      assertNotEquals(0, said.status(), said.said());
      assertTrue(said.said().contains("Too many open files"), said.said());
      // Directories are a cache: any number can be walked.
      assertEquals("400", inGuest("cat t/*/e/f | sort -n | uniq | wc -l"));
      inGuest("rm -rf t open*");
      assertEquals("", inGuest("ls"));
      lab.unmount();
      assertEquals(0, poor.stop());
    }
  }
}
