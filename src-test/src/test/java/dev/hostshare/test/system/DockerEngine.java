package dev.hostshare.test.system;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A Docker engine of a guest's own, in its namespaces, with a local image named busybox. It has no
 * network: containers run with {@code --network none}.
 */
public final class DockerEngine implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(1);

  private final Guest guest;
  private final Path data;
  private final Process daemon;

  private DockerEngine(Guest guest, Path data, Process daemon) {
    this.guest = guest;
    this.data = data;
    this.daemon = daemon;
  }

  /** Starts it, by {@code options} beside those that a guest needs; it answers by then. */
  public static DockerEngine start(Guest guest, String... options) throws IOException {
    var engine = launch(guest, options);
    engine.awaitAnswer();
    engine.importBusybox();
    return engine;
  }

  /** As {@link #start}, but asks it for nothing yet, and gives it no image. */
  static DockerEngine launch(Guest guest, String... options) throws IOException {
    var data = Installation.newFolder("hostshare-docker");
    var line =
        new ArrayList<>(
            List.of(
                "dockerd",
                "--data-root=" + data,
                "--exec-root=/run/docker",
                "--host=unix:///run/docker.sock",
                "--bridge=none",
                "--iptables=false",
                "--ip6tables=false",
                "--exec-opt=native.cgroupdriver=cgroupfs"));
    line.addAll(Arrays.asList(options));
    var daemon =
        guest
            .builder(line)
            .redirectErrorStream(true)
            .redirectOutput(data.resolve("log").toFile())
            .start();
    return new DockerEngine(guest, data, daemon);
  }

  /** Where it logs. */
  Path log() {
    return data.resolve("log");
  }

  void awaitAnswer() throws IOException {
    long deadline = System.nanoTime() + START.toNanos();
    // The engine announces nothing but a line in its log; asking it is the documented way.
    while (docker("version").status() != 0) {
      if (!daemon.isAlive() || System.nanoTime() > deadline) {
        var log = Files.readString(data.resolve("log"));
        close();
        throw new AssertionError("dockerd does not answer:\n" + log);
      }
      LockSupport.parkNanos(50_000_000);
    }
  }

  private void importBusybox() {
    guest.shell(
        """
        root=$(mktemp -d)
        mkdir -p $root/bin $root/tmp $root/etc
        cp /bin/busybox $root/bin/
        for applet in $(busybox --list | grep -vx busybox); do
          ln -s busybox $root/bin/$applet
        done
        echo root:x:0:0::/:/bin/sh > $root/etc/passwd
        tar -C $root -c . | docker import - busybox
        rm -rf $root
        """);
  }

  public Command docker(String... arguments) {
    var line = new ArrayList<>(List.of("docker"));
    line.addAll(Arrays.asList(arguments));
    return guest.run(Duration.ofMinutes(2), line);
  }

  /** {@code docker run --rm --network none} with these arguments; answers what it said. */
  public String run(String... arguments) {
    var line = new ArrayList<>(List.of("run", "--rm", "--network=none"));
    line.addAll(Arrays.asList(arguments));
    return docker(line.toArray(String[]::new)).expectSuccess();
  }

  /** Removes the containers, then ends the engine. */
  @Override
  public void close() {
    if (daemon.isAlive()) {
      guest.shell("docker ps -aq | xargs -r docker rm -f");
    }
    daemon.destroy();
    try {
      daemon.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Installation.remove(data);
  }
}
