package dev.hostshare.agent.cli;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Asks the processes that serve mounts; see {@link ControlSocket}. */
final class ControlClient {
  private ControlClient() {}

  /** The processes that serve mounts. Sockets that a killed one left behind are removed. */
  static List<ProcessHandle> processes() throws IOException {
    var found = new ArrayList<ProcessHandle>();
    if (!Files.isDirectory(ControlSocket.folder())) {
      return found;
    }
    try (DirectoryStream<Path> sockets =
        Files.newDirectoryStream(ControlSocket.folder(), "*" + ControlSocket.SUFFIX)) {
      for (Path socket : sockets) {
        String name = socket.getFileName().toString();
        String pid = name.substring(0, name.length() - ControlSocket.SUFFIX.length());
        Optional<ProcessHandle> process =
            pid.matches("\\d{1,9}") ? ProcessHandle.of(Long.parseLong(pid)) : Optional.empty();
        if (process.isPresent()) {
          found.add(process.get());
        } else {
          Files.deleteIfExists(socket);
        }
      }
    }
    return found;
  }

  /**
   * Sends a request and returns the whole answer; empty if the process has ended, or just ends.
   *
   * @throws IOException if the connection breaks in between
   */
  static Optional<String> ask(ProcessHandle process, String request) throws IOException {
    Path path = ControlSocket.of(process.pid());
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      try {
        channel.connect(UnixDomainSocketAddress.of(path));
      } catch (ConnectException e) {
        Files.deleteIfExists(path); // the number is another process's by now
        return Optional.empty();
      } catch (SocketException e) {
        return Optional.empty(); // it ended just now
      }
      ByteBuffer line = ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.UTF_8));
      while (line.hasRemaining()) {
        channel.write(line);
      }
      try {
        return Optional.of(
            new String(Channels.newInputStream(channel).readAllBytes(), StandardCharsets.UTF_8));
      } catch (SocketException e) {
        return Optional.empty(); // it ended before it could answer
      }
    }
  }

  /** The process that serves {@code mountPoint}, if one does. */
  static Optional<ProcessHandle> owner(Path mountPoint) throws IOException {
    for (ProcessHandle process : processes()) {
      if (ask(process, "owner " + mountPoint).orElse("no").equals("yes")) {
        return Optional.of(process);
      }
    }
    return Optional.empty();
  }
}
