package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the documents tell the reader to type works as it stands there. */
@SystemTest
class DocsTest {
  private static final Pattern BLOCK =
      Pattern.compile("^```sh\\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);

  /** Commands that build or test the project: what runs us has run them. */
  private static final List<String> OURSELVES = List.of("sudo bin/test", "bin/test", "bin/setup");

  private static final String DOCTOR = "bin/fsbench doctor /home/me/app";

  /** What makes a measurement of half an hour one of seconds. */
  private static final String SMALL = " --rounds=1 --files=100 --size=4M";

  private static List<String> commands() throws IOException {
    var commands = new ArrayList<String>();
    try (Stream<Path> docs = Files.list(Installation.PROJECT.resolve("docs"))) {
      for (var file :
          Stream.concat(
                  Stream.of(Installation.PROJECT.resolve("README.md")),
                  docs.filter(file -> file.toString().endsWith(".md")).sorted())
              .toList()) {
        var blocks = BLOCK.matcher(Files.readString(file));
        while (blocks.find()) {
          blocks
              .group(1)
              .replace("\\\n", " ")
              .lines()
              .map(line -> line.replaceFirst(" +#.*", ""))
              .filter(line -> !line.isBlank())
              .forEach(commands::add);
        }
      }
    }
    // The tour of fsbench begins with the command of the README, which takes half a minute.
    int again = commands.lastIndexOf(DOCTOR);
    if (again != commands.indexOf(DOCTOR)) {
      commands.remove(again);
    }
    return commands;
  }

  @Test
  void demoShowsWhatItPromises() {
    var builder = new ProcessBuilder(Installation.PROJECT.resolve("bin/demo").toString());
    // What runs us has built it.
    builder.environment().put("HOSTSHARE_NO_SETUP", "1");
    var said = Command.run(Duration.ofMinutes(2), builder).expectSuccess();
    for (var line :
        List.of(
            "-rwsr-x--- 1 1000 1000 .* hello.txt",
            "crw-r--r-- 1 0 0 1, 3 .* null",
            "prw-r--r-- .* queue",
            "drwxr-xr-x 2 999 999 .* data",
            "-rw-r--r-- 1 65534 65534 .* hello.txt",
            ".* 1 999 999 .* made-by-999")) {
      assertTrue(
          said.lines().anyMatch(told -> told.replaceAll(" +", " ").matches(line)),
          () -> "nothing like '" + line + "' in:\n" + said);
    }
    var left = Command.run("sh", "-c", "ls -d /tmp/hostshare-demo.* 2>/dev/null || true");
    assertEquals("", left.expectSuccess());
  }

  /**
   * In a guest whose /home/me/app, /mnt, certificates and host names are those of the documents;
   * the server's commands as the server's user, the agent's as root.
   */
  @Test
  @Timeout(600)
  void everyCommandWorks() throws IOException {
    var folder = Installation.newFolder("hostshare-docs");
    var servers = new ArrayList<Process>();
    try (var guest = Guest.start()) {
      prepare(guest, folder);
      try (var engine = DockerEngine.start(guest)) {
        assertTrue(engine.docker("info").status() == 0);
        for (var command : commands()) {
          run(guest, folder, command, servers);
        }
      } finally {
        servers.reversed().forEach(Process::destroy);
      }
    } finally {
      Files.deleteIfExists(Path.of("/tmp/hostshare.sock"));
      Installation.remove(folder);
    }
  }

  private static void prepare(Guest guest, Path folder) throws IOException {
    var certificates = Certificates.authority(folder.resolve("ca"));
    certificates.sign("server", "DNS:host.example");
    certificates.sign("guest", "DNS:guest");
    guest.shell(
        """
        mkdir %4$s/home; mount --bind %4$s/home /home; mount -t tmpfs mnt /mnt
        mkdir -p /home/me/app/data; chown -R %1$d:%2$d /home/me
        cp -r %3$s/bin %3$s/lib %4$s/
        cd %4$s
        cp ca/server.* ca/guest.* .; cp ca/ca.pem clients-ca.pem; cp ca/ca.pem server-ca.pem
        cp /etc/hosts /run/hosts; echo 127.0.0.1 host.example >> /run/hosts; mount --bind /run/hosts /etc/hosts
        mkdir -p /run/sbin/upper /run/sbin/work
        mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=/run/sbin/upper,workdir=/run/sbin/work /usr/sbin
        mount -t tmpfs opt /opt
        """
            .formatted(Server.UID, Server.GID, Installation.prefix(), folder));
  }

  private static void run(Guest guest, Path folder, String command, List<Process> servers)
      throws IOException {
    if (OURSELVES.contains(command) || command.equals("sudo bin/demo")) {
      return;
    }
    // sudo need not be here: we are root.
    var line = command.replaceFirst("^sudo ", "");
    if (line.startsWith("bin/fsbench run")) {
      line += SMALL;
    }
    if (line.startsWith("perf/peers/run")) {
      var targets = line.contains("stat-cold") ? "hostshare,ext4" : "ext4";
      var small =
          line
              + SMALL
              + (line.contains("fresh") ? "" : " --practice=once")
              + " --targets="
              + targets;
      var measurement =
          new ProcessBuilder("bash", "-c", small).directory(Installation.PROJECT.toFile());
      Command.run(Duration.ofMinutes(3), measurement).expectSuccess();
      return;
    }
    boolean isServers = line.startsWith("bin/hostshare ");
    var asWho =
        isServers
            ? "setpriv --reuid=%d --regid=%d --clear-groups -- env HOME=/home/me "
                .formatted(Server.UID, Server.GID)
            : "";
    var script = "cd " + folder + "; " + asWho + line;
    if (line.startsWith("bin/hostshare serve") || line.startsWith("bin/hostshare-agent run")) {
      if (line.startsWith("bin/hostshare serve")) {
        servers.reversed().forEach(DocsTest::end);
        servers.clear();
      }
      var log = Files.createTempFile(folder, "background", ".log");
      // A host does not see what its guest mounts.
      var where = isServers ? "unshare --mount --propagation=private " : "";
      var process =
          guest
              .builder(List.of("sh", "-c", "cd " + folder + "; exec " + where + asWho + line))
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      servers.add(process);
      guest.shell(
          "until grep -q '^hostshare: ready' %1$s || findmnt -n -M /home/me/app >/dev/null; do kill -0 %2$d || { cat %1$s; exit 1; }; done"
              .formatted(log, process.pid()));
    } else {
      var done = guest.run(Duration.ofMinutes(2), List.of("bash", "-c", script));
      assertEquals(0, done.status(), () -> command + "\n" + done.said());
    }
  }

  private static void end(Process process) {
    process.destroy();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
