package dev.hostshare.test.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** {@code hostshare-agent docker-plugin} in a guest. */
final class DockerPlugin implements AutoCloseable {
  static final String SOCKET = "/run/docker/plugins/hostshare.sock";

  private final Guest guest;
  private final Process process;

  private DockerPlugin(Guest guest, Process process) {
    this.guest = guest;
    this.process = process;
  }

  /** Returns when it answers. */
  static DockerPlugin start(Guest guest, String... options) throws IOException {
    var arguments = new ArrayList<>(List.of("docker-plugin"));
    arguments.addAll(Arrays.asList(options));
    // What is below the guest's /var/log is printed when a test fails.
    var line =
        new ArrayList<>(
            List.of("sh", "-c", "exec \"$@\" 2>>/var/log/docker-plugin", "docker-plugin"));
    line.addAll(Installation.agent(arguments.toArray(String[]::new)));
    var process = guest.builder(line).start();
    // What it says on standard output is one line.
    var said = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    var first = said.readLine();
    if (first == null || !first.startsWith("hostshare-agent: ready")) {
      process.destroyForcibly();
      throw new AssertionError(
          "not ready: " + first + "\n" + guest.run("cat", "/var/log/docker-plugin").said());
    }
    return new DockerPlugin(guest, process);
  }

  String log() {
    return guest.shell("cat /var/log/docker-plugin");
  }

  long pid() {
    return process.pid();
  }

  /** SIGTERM; answers the exit status. */
  int stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(30, SECONDS)) {
      throw new AssertionError("it does not end");
    }
    return process.exitValue();
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
