package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Containers with the mount as a volume, by a real Docker engine. */
@SystemTest
class DockerTest {
  private static Lab lab;
  private static DockerEngine engine;
  private static int serial;

  /** A fresh folder in the mount: on the guest's side. */
  private String app;

  @BeforeAll
  static void start() throws IOException {
    lab = Lab.start();
    engine = DockerEngine.start(lab.guest());
  }

  @AfterAll
  static void stop() {
    try {
      if (engine != null) {
        engine.close();
      }
    } finally {
      if (lab != null) {
        lab.close();
      }
    }
  }

  @BeforeEach
  void makeFolder() {
    app = lab.mnt() + "/app" + serial++;
    lab.guest().run("mkdir", app).expectSuccess();
  }

  private static String inBusybox(String volume, String script) {
    return engine.run("-v", volume, "busybox", "sh", "-euc", script);
  }

  @Test
  void folderIsReadAndWritten() throws IOException {
    var host = lab.host().resolve(app.substring(app.lastIndexOf('/') + 1));
    Files.writeString(host.resolve("from-host"), "hello container");
    assertEquals("hello container", inBusybox(app + ":/app", "cat /app/from-host"));
    inBusybox(app + ":/app", "echo hello host > /app/from-container");
    assertEquals("hello host\n", Files.readString(host.resolve("from-container")));
  }

  @Test
  void singleFileIsReadAndWritten() {
    lab.guest().shell("echo one > " + app + "/conf");
    assertEquals("one", inBusybox(app + "/conf:/etc/conf", "cat /etc/conf; echo two > /etc/conf"));
    assertEquals("two", lab.guest().shell("cat " + app + "/conf"));
  }

  @Test
  void readOnlyVolumeIsReadOnly() {
    lab.guest().shell("echo keep > " + app + "/f");
    var said =
        inBusybox(
            app + ":/app:ro", "cat /app/f; ! touch /app/new; ! rm /app/f; ! chmod 777 /app/f");
    assertTrue(said.contains("Read-only file system"), said);
    assertEquals("keep", lab.guest().shell("cat " + app + "/f"));
  }

  @Test
  void mountOptionWorksToo() {
    engine.run(
        "--mount", "type=bind,source=" + app + ",target=/app", "busybox", "touch", "/app/made");
    engine.run(
        "--mount",
        "type=bind,source=" + app + ",target=/app,readonly",
        "busybox",
        "sh",
        "-c",
        "test -f /app/made && ! touch /app/other");
    assertEquals("made", lab.guest().shell("ls " + app));
  }

  @Test
  void nestedMountsLieOnEachOther() {
    lab.guest().shell("mkdir -p " + app + "/outer/inner " + app + "/other");
    engine.run(
        "-v",
        app + "/outer:/app",
        "-v",
        app + "/other:/app/inner",
        "busybox",
        "sh",
        "-c",
        "touch /app/inner/in-other /app/in-outer");
    assertEquals("in-other", lab.guest().shell("ls " + app + "/other"));
    assertEquals("in-outer\ninner", lab.guest().shell("ls " + app + "/outer"));
    assertEquals("", lab.guest().shell("ls " + app + "/outer/inner"));
  }

  @Test
  void ordinaryUserOwnsWhatHeMakes() {
    lab.guest().run("chown", "1000:1000", app).expectSuccess();
    engine.run(
        "-u",
        "1000:1000",
        "-v",
        app + ":/app",
        "busybox",
        "sh",
        "-euc",
        "touch /app/f; mkdir /app/d; chmod 700 /app/d; test -O /app/f");
    assertEquals(
        "1000 1000 644 f\n1000 1000 700 d",
        lab.guest().shell("cd " + app + " && stat -c '%u %g %a %n' f d"));
    lab.guest().run("chown", "0:0", app).expectSuccess();
    engine.run(
        "-u",
        "1000:1000",
        "-v",
        app + ":/app",
        "busybox",
        "sh",
        "-c",
        "! touch /app/g && echo x > /app/f");
  }

  @Test
  void chownInAContainerIsSeenByTheNext() {
    inBusybox(
        app + ":/app",
        "mkdir -p /app/db/deep; touch /app/db/deep/f; chown -R 999:998 /app/db; chmod 2750 /app/db");
    assertEquals(
        "999 998 2750\n999 998 644",
        inBusybox(app + ":/app", "stat -c '%u %g %a' /app/db /app/db/deep/f"));
    engine.run(
        "-u", "999:998", "-v", app + ":/app", "busybox", "sh", "-c", "echo mine > /app/db/deep/f");
  }

  @Test
  void hostKeepsOwnerAndMode() throws IOException {
    var host = lab.host().resolve(app.substring(app.lastIndexOf('/') + 1)).resolve("f");
    Files.writeString(host, "x");
    if (lab.isServed()) {
      Lab.own(host);
    }
    Files.setPosixFilePermissions(host, PosixFilePermissions.fromString("rw-r-----"));
    int owner = (int) Files.getAttribute(host, "unix:uid");
    assertEquals(
        "999 999 4711",
        inBusybox(
            app + ":/app", "chown 999:999 /app/f; chmod 4711 /app/f; stat -c '%u %g %a' /app/f"));
    if (lab.isServed()) {
      assertEquals(owner, Files.getAttribute(host, "unix:uid"));
      assertEquals(0640, (int) Files.getAttribute(host, "unix:mode") & 07777);
    }
  }

  @Test
  void restartedContainerFindsItsVolume() {
    var name = "restarted" + serial;
    engine
        .docker(
            "run",
            "-d",
            "--network=none",
            "--name",
            name,
            "-v",
            app + ":/app",
            "busybox",
            "sh",
            "-c",
            "echo start >> /app/log; mkfifo -m 666 /app/wait 2>/dev/null; read x < /app/wait")
        .expectSuccess();
    lab.guest().shell("until [ -p " + app + "/wait ]; do :; done");
    engine.docker("restart", "-t", "0", name).expectSuccess();
    lab.guest().shell("echo go > " + app + "/wait");
    engine.docker("wait", name).expectSuccess();
    engine.docker("rm", name).expectSuccess();
    assertEquals("start\nstart", lab.guest().shell("cat " + app + "/log"));
  }

  @Test
  void twoContainersAtOnceSeeEachOther() {
    var name = "reader" + serial;
    lab.guest().shell("mkfifo " + app + "/pipe");
    engine
        .docker(
            "run",
            "-d",
            "--network=none",
            "--name",
            name,
            "-v",
            app + ":/data",
            "busybox",
            "sh",
            "-c",
            "read line < /data/pipe; cat /data/file; echo $line")
        .expectSuccess();
    inBusybox(app + ":/app", "echo content > /app/file; echo told > /app/pipe");
    engine.docker("wait", name).expectSuccess();
    assertEquals("content\ntold", engine.docker("logs", name).expectSuccess());
    engine.docker("rm", name).expectSuccess();
  }

  @Test
  void missingFolderIsMadeByTheEngine() {
    inBusybox(app + "/not/yet:/app", "touch /app/f");
    assertEquals("f", lab.guest().shell("ls " + app + "/not/yet"));
  }

  @Test
  void workingDirectoryAndEntryPointMayLieInTheVolume() {
    lab.guest()
        .shell("printf '#!/bin/sh\\npwd; ls\\n' > " + app + "/run; chmod +x " + app + "/run");
    assertEquals(
        "/app\nrun",
        engine.run("-v", app + ":/app", "-w", "/app", "--entrypoint", "./run", "busybox"));
  }
}
