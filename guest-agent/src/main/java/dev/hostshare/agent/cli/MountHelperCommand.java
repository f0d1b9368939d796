package dev.hostshare.agent.cli;

import dev.hostshare.agent.remote.ServerAddress;
import dev.hostshare.agent.remote.TransportSecurity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * What mount(8) runs for the types {@code hostshare} and {@code fuse.hostshare}: {@code
 * mount-helper SPEC DIR [-sfnv] [-o OPTIONS]}, see its section on external helpers.
 */
@Command(
    name = "mount-helper",
    hidden = true,
    description = "Mounts as mount(8) and /etc/fstab ask.")
@SuppressWarnings("UnusedVariable") // options that are taken and mean nothing
final class MountHelperCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "SPEC",
      description = "unix:/path#/share or tcp:host:port#/share")
  private String source;

  @Parameters(index = "1", paramLabel = "DIR", description = "The mount point.")
  private Path mountPoint;

  @Option(names = "-o", paramLabel = "OPTION[,OPTION...]", description = "Mount options.")
  private List<String> options = new ArrayList<>();

  @Option(names = "-s", description = "Ignored: unknown options are errors.")
  private boolean sloppy;

  @Option(names = "-f", description = "Check everything, mount nothing.")
  private boolean fake;

  @Option(names = "-n", description = "Ignored: /etc/mtab is the kernel's table.")
  private boolean noMtab;

  @Option(names = "-v", description = "Say what is done.")
  private boolean verbose;

  @Option(names = "-t", paramLabel = "TYPE", description = "Ignored: there is one.")
  private String type;

  @Option(names = Background.CHILD_OPTION, hidden = true)
  private boolean child;

  @Override
  public Integer call() throws IOException, InterruptedException {
    int hash = source.indexOf('#');
    if (hash < 0 || hash + 1 == source.length()) {
      throw new IllegalArgumentException(
          "'%s' is not of the form unix:/path#/share or tcp:host:port#/share".formatted(source));
    }
    MountOptions parsed = MountOptions.parse(options);
    var security =
        new TransportSecurity(
            ServerOptions.path(parsed, "tls-cert"),
            ServerOptions.path(parsed, "tls-key"),
            ServerOptions.path(parsed, "tls-ca"),
            parsed.value("insecure-loopback").isPresent());
    Path target = mountPoint.toAbsolutePath().normalize();
    var request =
        new MountRequest(
            ServerOptions.session(ServerAddress.parse(source.substring(0, hash)), security, parsed),
            source.substring(hash + 1),
            target,
            parsed.value("driver").map(Driver::parse).orElse(Driver.kernel),
            parsed.flags());
    if (verbose && !child) {
      spec.commandLine()
          .getOut()
          .printf("hostshare: mounting %s on %s%n", source, request.mountPoint());
    }
    if (fake) {
      return CommandLine.ExitCode.OK;
    }
    Path log = parsed.value("log").map(Path::of).orElseGet(() -> Background.defaultLog(target));
    return MountCommand.run(spec, request, false, child, log);
  }
}
