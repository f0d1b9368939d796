package dev.hostshare.agent.remote;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How a TCP connection is protected: TLS 1.3 with a client certificate, or, on loopback only and
 * only when asked for, not at all. A Unix socket is protected by its peer credentials and needs
 * neither.
 *
 * @param certificate PEM file of the client's certificate chain; null without TLS
 * @param key PEM file of the client's key, PKCS#8, not encrypted; null without TLS
 * @param authority PEM file of the certificates that the server's must be signed by; null without
 *     TLS
 * @param insecureLoopback whether plaintext TCP to a loopback address is allowed
 */
public record TransportSecurity(
    Path certificate, Path key, Path authority, boolean insecureLoopback) {

  /** For Unix sockets. */
  public static final TransportSecurity NONE = new TransportSecurity(null, null, null, false);

  /** Whether the TLS files are given. */
  boolean hasTls() {
    return certificate != null && key != null && authority != null;
  }

  /**
   * Checks that {@code address} may be connected to like this.
   *
   * @throws IllegalArgumentException if not; the message says what is missing
   */
  public void check(ServerAddress address) {
    if (!hasTls() && (certificate != null || key != null || authority != null)) {
      throw new IllegalArgumentException(
          "TLS needs all three of --tls-cert, --tls-key and --tls-ca");
    }
    if (!(address instanceof ServerAddress.Tcp tcp)) {
      return;
    }
    if (hasTls()) {
      for (Path file : new Path[] {certificate, key, authority}) {
        if (!Files.isReadable(file)) {
          throw new IllegalArgumentException("cannot read the TLS file " + file);
        }
      }
    } else if (!insecureLoopback) {
      throw new IllegalArgumentException(
          "%s needs TLS: give --tls-cert, --tls-key and --tls-ca%s"
              .formatted(address, tcp.isLoopback() ? " (or --insecure-loopback, for trials)" : ""));
    } else if (!tcp.isLoopback()) {
      throw new IllegalArgumentException(
          "--insecure-loopback is for loopback addresses only and %s is not one: give --tls-cert, --tls-key and --tls-ca"
              .formatted(address));
    }
  }
}
