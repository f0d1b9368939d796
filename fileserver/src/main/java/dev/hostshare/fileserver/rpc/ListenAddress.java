package dev.hostshare.fileserver.rpc;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.net.HostAndPort;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Where the server takes connections. */
public sealed interface ListenAddress {

  /** A Unix domain socket. */
  record Unix(Path path) implements ListenAddress {
    public Unix {
      int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
      checkArgument(
          bytes <= MAX_UNIX_PATH,
          "socket path %s has %s bytes, Unix sockets take %s; use a shorter one",
          path,
          bytes,
          MAX_UNIX_PATH);
    }

    @Override
    public String toString() {
      return "unix:" + path;
    }
  }

  /** A TCP port; 0 lets the system choose. */
  record Tcp(String host, int port) implements ListenAddress {
    @Override
    public String toString() {
      return "tcp:" + HostAndPort.fromParts(host, port);
    }
  }

  /** sizeof(sun_path) less the NUL (unix(7)). */
  int MAX_UNIX_PATH = 107;

  /**
   * Reads {@code unix:PATH} or {@code tcp:HOST:PORT}.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  static ListenAddress parse(String text) {
    if (text.startsWith("unix:")) {
      String path = text.substring("unix:".length());
      checkArgument(!path.isEmpty(), "address '%s' names no socket path", text);
      return new Unix(Path.of(path).toAbsolutePath().normalize());
    }
    checkArgument(
        text.startsWith("tcp:"),
        "address '%s' is neither unix:PATH nor tcp:HOST:PORT (tcp:127.0.0.1:7040, say)",
        text);
    HostAndPort parsed;
    try {
      parsed = HostAndPort.fromString(text.substring("tcp:".length()));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("address '" + text + "': " + e.getMessage(), e);
    }
    checkArgument(
        parsed.hasPort() && !parsed.getHost().isEmpty(),
        "address '%s' lacks a host or a port; write tcp:HOST:PORT",
        text);
    return new Tcp(parsed.getHost(), parsed.getPort());
  }
}
