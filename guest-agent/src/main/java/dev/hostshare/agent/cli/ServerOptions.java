package dev.hostshare.agent.cli;

import dev.hostshare.agent.remote.ServerAddress;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.agent.remote.TransportSecurity;
import dev.hostshare.proto.MemorySize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import picocli.CommandLine.Option;

/** Which server, and how to get to it: the options that mount and run share. */
final class ServerOptions {
  /** As in {@code bin/hostshare-agent}. */
  private static final int LEAST_MIB = 130;

  @Option(
      names = "--server",
      required = true,
      paramLabel = "ADDR",
      description = "Where the file server listens: unix:PATH or tcp:HOST:PORT.")
  String server;

  @Option(names = "--tls-cert", paramLabel = "FILE", description = "Our certificate, PEM.")
  Path certificate;

  @Option(names = "--tls-key", paramLabel = "FILE", description = "Its key, PEM (PKCS#8).")
  Path key;

  @Option(
      names = "--tls-ca",
      paramLabel = "FILE",
      description = "What the server's certificate must be signed by, PEM.")
  Path authority;

  @Option(
      names = "--insecure-loopback",
      description = "Plaintext TCP, to a loopback address only. For trials.")
  boolean insecureLoopback;

  /** For the launcher, which has made limits of it; see {@link MemorySize}. */
  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description =
          "Resident memory of the agent at the most, 150m by default, 130m at the least: with more, more"
              + " files and directories stay cached, 2,000 per MiB.")
  String memory;

  /**
   * What a session is begun with; an option of {@code -o} stands in where the long one is absent.
   *
   * @throws IllegalArgumentException if something is missing or wrong; the message says what
   */
  SessionOptions session(MountOptions options) {
    if (memory != null) {
      MemorySize.check(memory, LEAST_MIB);
    }
    return session(
        ServerAddress.parse(server),
        new TransportSecurity(
            certificate != null ? certificate.toAbsolutePath() : path(options, "tls-cert"),
            key != null ? key.toAbsolutePath() : path(options, "tls-key"),
            authority != null ? authority.toAbsolutePath() : path(options, "tls-ca"),
            insecureLoopback || options.value("insecure-loopback").isPresent()),
        options);
  }

  static SessionOptions session(
      ServerAddress address, TransportSecurity security, MountOptions options) {
    options.value("memory").ifPresent(size -> MemorySize.check(size, LEAST_MIB));
    Duration timeout = options.timeout(SessionOptions.DEFAULT_TIMEOUT);
    return new SessionOptions(address, security, timeout, client());
  }

  static Path path(MountOptions options, String name) {
    return options.value(name).map(text -> Path.of(text).toAbsolutePath()).orElse(null);
  }

  private static String client() {
    String host;
    try {
      host = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
    } catch (IOException e) {
      host = "guest"; // only a name in the server's log
    }
    return host + " hostshare-agent " + AgentCommand.Version.number();
  }
}
