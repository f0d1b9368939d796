package dev.hostshare.fileserver.cli;

import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.export.ShareSpec;
import dev.hostshare.fileserver.host.LinuxHost;
import dev.hostshare.fileserver.rpc.FileServer;
import dev.hostshare.fileserver.rpc.ListenAddress;
import dev.hostshare.fileserver.rpc.TlsFiles;
import dev.hostshare.proto.MemorySize;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code hostshare serve}. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = "Serves shares in the foreground until SIGTERM or Ctrl-C.")
final class ServeCommand implements Callable<Integer> {
  /** As in {@code bin/hostshare}. */
  private static final int LEAST_MIB = 180;

  @ParentCommand private HostShareCommand parent;
  @Spec private CommandSpec command;

  @Option(
      names = "--listen",
      paramLabel = "ADDR",
      required = true,
      description =
          "unix:PATH (this user and root may connect) or tcp:HOST:PORT (TLS with client"
              + " certificates). Repeatable.")
  private List<String> listen;

  @Option(
      names = "--share",
      paramLabel = "DIR[,ro][,owner=host|caller|UID:GID]",
      description =
          "A folder to share. owner: who owns what no guest has chowned; default host. Repeatable."
              + " Without it, the file-sharing list is served, which `hostshare shares` changes.")
  private List<String> shares;

  @Option(
      names = "--max-watches",
      paramLabel = "N",
      defaultValue = "1000000",
      description =
          "Directories to watch for changes at the most, about 1 KiB of kernel memory each; what"
              + " lies in others guests keep for a second only. Default ${DEFAULT-VALUE}; the"
              + " kernel's own limit is sysctl fs.fanotify.max_user_marks.")
  private int maxWatches;

  @ArgGroup(exclusive = false)
  private TlsOptions tls;

  /** For the launcher, which has made limits of it; see {@link MemorySize}. */
  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description =
          "Resident memory of the server at the most, 250m by default, 180m at the least: with more, guests"
              + " may have more files and directories cached, each guest 1,300 per MiB.")
  private String memory;

  @Option(
      names = "--insecure-loopback",
      description = "Allow plaintext TCP on loopback: every user of this machine can connect.")
  private boolean insecureLoopback;

  /** All three or none. */
  static final class TlsOptions {
    @Option(
        names = "--tls-cert",
        paramLabel = "FILE",
        required = true,
        description = "PEM: the server's certificate chain.")
    private Path certificate;

    @Option(
        names = "--tls-key",
        paramLabel = "FILE",
        required = true,
        description = "PEM: its private key (PKCS#8).")
    private Path key;

    @Option(
        names = "--tls-ca",
        paramLabel = "FILE",
        required = true,
        description = "PEM: who signs the clients' certificates.")
    private Path authority;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (memory != null) {
      MemorySize.check(memory, LEAST_MIB);
    }
    FileServer.Config config = config();
    if (LinuxHost.userId() == 0) {
      throw new IOException(
          "the server never runs as root: start it as the user whose files are shared, for example"
              + " with `runuser -u NAME -- hostshare serve ...`");
    }
    FileServer server = new FileServer(config);
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  try {
                    server.close();
                  } catch (IOException e) {
                    System.err.println("hostshare: " + e.getMessage());
                    ExitCode.set(CommandLine.ExitCode.SOFTWARE);
                  }
                  ended.countDown();
                  ExitCode.halt();
                },
                "shutdown"));
    List<String> addresses = server.addresses();
    System.out.println(
        "hostshare: ready, listening on "
            + String.join(" ", addresses.subList(1, addresses.size())));
    System.out.flush();
    ended.await();
    return 0;
  }

  private FileServer.Config config() {
    List<ListenAddress> addresses = new ArrayList<>();
    List<ShareSpec> specs = new ArrayList<>();
    try {
      listen.forEach(a -> addresses.add(ListenAddress.parse(a)));
      for (String share : shares == null ? List.<String>of() : shares) {
        ShareSpec spec = ShareSpec.parse(share, OwnerPolicy.ofThisHost());
        if (specs.stream().anyMatch(s -> s.path().equals(spec.path()))) {
          throw new IllegalArgumentException(spec.path() + " is named by --share twice");
        }
        specs.add(spec);
      }
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(command.commandLine(), e.getMessage(), e);
    }
    if (maxWatches < 0) {
      throw new CommandLine.ParameterException(
          command.commandLine(), "--max-watches must be 0 or more, and is " + maxWatches);
    }
    TlsFiles files = tls == null ? null : new TlsFiles(tls.certificate, tls.key, tls.authority);
    return new FileServer.Config(
        parent.state(),
        addresses,
        shares == null ? null : specs,
        files,
        insecureLoopback,
        maxWatches,
        HostShareCommand.version());
  }
}
