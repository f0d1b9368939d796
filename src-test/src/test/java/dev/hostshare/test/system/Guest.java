package dev.hostshare.test.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A stand-in for a virtual machine: a mount and a network namespace of their own, with fresh {@code
 * /run} and {@code /var/log}. Everything that runs in it ends with it, whatever becomes of the
 * test.
 *
 * <p>It sees the host's files at their own paths, so that programs need no image. Process ids are
 * the host's.
 */
public final class Guest implements AutoCloseable {
  /**
   * A session of its own, so that what kills the test does not kill it, too. Says "ready", waits
   * until its input ends, then kills what is left in its mount namespace. A container has a mount
   * namespace of its own: {@link DockerEngine} removes those.
   */
  private static final String INIT =
      """
      set -eu
      ip link set lo up
      mount -t tmpfs -o mode=755 run /run
      mkdir -p /run/lock /run/postgresql
      mount -t tmpfs -o mode=755 log /var/log
      echo ready
      cat >/dev/null
      own=$(readlink /proc/$$/ns/mnt)
      left=1
      while [ -n "$left" ]; do
        left=
        for p in /proc/[0-9]*; do
          pid=${p#/proc/}
          if [ "$pid" != $$ ] && [ "$(readlink $p/ns/mnt || true)" = "$own" ] &&
            [ "$(cut -d' ' -f4 $p/stat 2>/dev/null)" != $$ ]; then
            kill -9 $pid 2>/dev/null && left=1
          fi
        done
      done
      """;

  private final Process init;

  private Guest(Process init) {
    this.init = init;
  }

  public static Guest start() throws IOException {
    var init =
        new ProcessBuilder(
                "setsid",
                "unshare",
                "--mount",
                "--net",
                "--propagation=private",
                "bash",
                "-c",
                INIT)
            .redirectErrorStream(true)
            .start();
    var guest = new Guest(init);
    var reader = new BufferedReader(new InputStreamReader(init.getInputStream(), UTF_8));
    String said = reader.readLine();
    if (!"ready".equals(said)) {
      guest.close();
      throw new IOException("the guest did not start: " + said);
    }
    return guest;
  }

  public long pid() {
    return init.pid();
  }

  /** The file that stands for the guest's mount namespace. */
  public Path mountNamespace() {
    return Path.of("/proc/" + init.pid() + "/ns/mnt");
  }

  /** Connects the guest to the host by a cable of its own; answers the host's address on it. */
  public String plugIn() {
    var net = "10.213." + init.pid() % 254 + ".";
    Command.run(
            "ip",
            "link",
            "add",
            cable(),
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "netns",
            Long.toString(init.pid()))
        .expectSuccess();
    Command.run("ip", "addr", "add", net + "1/24", "dev", cable()).expectSuccess();
    plugInAgain();
    run("ip", "addr", "add", net + "2/24", "dev", "eth0").expectSuccess();
    run("ip", "link", "set", "eth0", "up").expectSuccess();
    return net + "1";
  }

  /** Pulls the cable: nothing arrives any more, and nobody is told. */
  public void unplug() {
    Command.run("ip", "link", "set", cable(), "down").expectSuccess();
  }

  public void plugInAgain() {
    Command.run("ip", "link", "set", cable(), "up").expectSuccess();
  }

  /** The host's end of it. */
  private String cable() {
    return "hs" + init.pid();
  }

  /** A builder for a command in the guest. */
  public ProcessBuilder builder(List<String> command) {
    var line =
        new ArrayList<>(
            List.of("nsenter", "--target=" + init.pid(), "--mount", "--net", "--wd=/", "--"));
    line.addAll(command);
    return new ProcessBuilder(line);
  }

  public Command run(Duration limit, List<String> command) {
    return Command.run(limit, builder(command));
  }

  public Command run(String... command) {
    return run(Command.LIMIT, Arrays.asList(command));
  }

  /** Runs a script by bash, ended by its first failure; answers what it said. */
  public String shell(String script) {
    return shell(Command.LIMIT, script);
  }

  public String shell(Duration limit, String script) {
    return run(limit, List.of("bash", "-euo", "pipefail", "-c", script)).expectSuccess();
  }

  @Override
  public void close() {
    try {
      init.getOutputStream().close();
      if (!init.waitFor(60, SECONDS)) {
        init.destroyForcibly();
        throw new AssertionError("what runs in the guest cannot be killed");
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
