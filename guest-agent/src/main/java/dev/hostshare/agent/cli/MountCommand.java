package dev.hostshare.agent.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code hostshare-agent mount}. */
@Command(
    name = "mount",
    description =
        "Mounts a share. Returns when it can be used; the mount is then served in the background.")
final class MountCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ServerOptions server;

  @Parameters(index = "0", paramLabel = "SHARE", description = "The share: the host's path.")
  private String share;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "MOUNTPOINT",
      description = "Where to mount it; the share's own path by default. Made if missing.")
  private Path mountPoint;

  @Option(names = "--driver", paramLabel = "NAME", description = "kernel (default) or jnr.")
  private Driver driver;

  @Option(
      names = "-o",
      paramLabel = "OPTION[,OPTION...]",
      description =
          "Mount options: ro, nosuid, nodev, noexec, noatime ...; timeout=SECONDS (20): how long requests wait for a server that is away; memory=SIZE: as --memory.")
  private List<String> options = new ArrayList<>();

  @Option(names = "--foreground", description = "Stay in the foreground until unmounted.")
  private boolean foreground;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description = "Where the background process logs; below /var/log/hostshare by default.")
  private Path logFile;

  @Option(names = Background.CHILD_OPTION, hidden = true)
  private boolean child;

  @Override
  public Integer call() throws IOException, InterruptedException {
    MountOptions parsed = MountOptions.parse(options);
    Path target = (mountPoint == null ? Path.of(share) : mountPoint).toAbsolutePath().normalize();
    Driver chosen =
        driver != null ? driver : parsed.value("driver").map(Driver::parse).orElse(Driver.kernel);
    var request = new MountRequest(server.session(parsed), share, target, chosen, parsed.flags());
    Path log = logFile != null ? logFile : Background.defaultLog(target);
    return run(spec, request, foreground, child, log);
  }

  /** Mounts as this command and {@link MountHelperCommand} do. */
  static int run(
      CommandSpec spec, MountRequest request, boolean foreground, boolean child, Path log)
      throws IOException, InterruptedException {
    if (child) {
      return serveChild(request);
    }
    if (foreground) {
      MountProcess.run(
          request,
          () -> {
            spec.commandLine().getOut().println(request.mountPoint() + " is mounted");
            spec.commandLine().getOut().flush();
          });
    } else {
      Background.start(spec.root().commandLine().getParseResult().originalArgs(), log);
    }
    return CommandLine.ExitCode.OK;
  }

  private static int serveChild(MountRequest request) throws InterruptedException {
    Logger log = LoggerFactory.getLogger(MountCommand.class);
    Background.detach();
    try {
      MountProcess.run(request, Background::reportReady);
      return CommandLine.ExitCode.OK;
    } catch (IOException | RuntimeException | Error e) {
      String reason = e.getMessage() != null ? e.getMessage() : e.toString();
      log.error("{}: {}", request.mountPoint(), reason, e instanceof IOException ? null : e);
      Background.reportFailed(reason);
      return CommandLine.ExitCode.SOFTWARE;
    }
  }
}
