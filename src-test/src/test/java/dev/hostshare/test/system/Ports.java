package dev.hostshare.test.system;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** TCP ports for servers that must be told one. */
public final class Ports {
  private Ports() {}

  /** A port of the loopback interface that nobody listens on right now. */
  public static int free() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
