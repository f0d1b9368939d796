package dev.hostshare.agent.remote;

import java.nio.file.Path;

/** Where a file server listens: {@code unix:PATH} or {@code tcp:HOST:PORT}. */
public sealed interface ServerAddress {

  /** A Unix domain socket. */
  record Unix(Path path) implements ServerAddress {
    @Override
    public String toString() {
      return "unix:" + path;
    }
  }

  /** A TCP port; {@code host} is a name or an address, an IPv6 address without brackets. */
  record Tcp(String host, int port) implements ServerAddress {
    /**
     * Whether {@code host} can only mean this machine. A name other than {@code localhost} is not
     * resolved to find out: what it resolves to may change.
     */
    public boolean isLoopback() {
      return host.equals("localhost") || host.equals("::1") || host.matches("127(\\.\\d{1,3}){3}");
    }

    @Override
    public String toString() {
      return "tcp:" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
  }

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException if it is not of the form; the message says what is
   */
  static ServerAddress parse(String text) {
    if (text.startsWith("unix:") && text.length() > "unix:".length()) {
      return new Unix(Path.of(text.substring("unix:".length())).toAbsolutePath());
    }
    if (text.startsWith("tcp:")) {
      int colon = text.lastIndexOf(':');
      String host = colon > 4 ? text.substring(4, colon) : "";
      if (host.startsWith("[") && host.endsWith("]")) {
        host = host.substring(1, host.length() - 1);
      }
      int port = port(text.substring(colon + 1));
      if (!host.isEmpty() && port > 0) {
        return new Tcp(host, port);
      }
    }
    throw new IllegalArgumentException(
        "'%s' is not a server address: write unix:PATH or tcp:HOST:PORT".formatted(text));
  }

  private static int port(String text) {
    if (!text.matches("\\d{1,5}")) {
      return -1;
    }
    int port = Integer.parseInt(text);
    return port <= 65535 ? port : -1;
  }
}
