package dev.hostshare.agent.cli;

import dev.hostshare.agent.docker.AllowedPaths;
import dev.hostshare.agent.docker.PluginServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code hostshare-agent docker-plugin}: for a service manager. */
@Command(
    name = "docker-plugin",
    description =
        "Answers a Docker engine that is started with --authorization-plugin=hostshare: bind mounts of paths that are neither on a mounted share nor the machine's own are refused.")
final class DockerPluginCommand implements Callable<Integer> {
  private static final Logger log = LoggerFactory.getLogger(DockerPluginCommand.class);

  @Spec private CommandSpec spec;

  @Option(
      names = "--socket",
      paramLabel = "PATH",
      description =
          "Where to listen; /run/docker/plugins/hostshare.sock by default. The engine finds the plugin by the file's name.")
  private Path socket = PluginServer.DEFAULT_SOCKET;

  @Option(
      names = "--allow",
      paramLabel = "PATH",
      description =
          "A path of this machine that containers may have, with everything below it, beside /dev, /proc, /run, /sys, /var/lib and others that docs/docker.md lists. May be given several times.")
  private List<String> allow = new ArrayList<>();

  @Option(
      names = "--no-default-paths",
      description = "Allow nothing of this machine but what --allow names.")
  private boolean noDefaults;

  @Override
  public Integer call() throws IOException, InterruptedException {
    AllowedPaths allowed = AllowedPaths.of(!noDefaults, allow);
    var stop = new CountDownLatch(1);
    var termination = new Termination(stop::countDown);
    Path path = socket.toAbsolutePath().normalize();
    try (var server = PluginServer.start(path, MountTable::isOurs, allowed)) {
      log.info("allowed beside shares: {}", String.join(" ", allowed.paths()));
      PrintWriter out = spec.commandLine().getOut();
      out.println("hostshare-agent: ready, listening on " + server.socket());
      out.flush();
      stop.await();
    } finally {
      termination.done();
    }
    return CommandLine.ExitCode.OK;
  }
}
