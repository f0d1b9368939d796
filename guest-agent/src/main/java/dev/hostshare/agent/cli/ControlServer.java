package dev.hostshare.agent.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers questions about this process's mounts; see {@link ControlSocket}. Thread-safe. */
final class ControlServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ControlServer.class);

  /** For the kernel to close what was open, and the server to hear of it. */
  private static final Duration UNMOUNT_TIME = Duration.ofSeconds(5);

  private final ServerSocketChannel socket;
  private final Path path;
  private final List<ActiveMount> mounts = new CopyOnWriteArrayList<>();

  /** Begins to listen. */
  ControlServer() throws IOException {
    path = ControlSocket.of(ProcessHandle.current().pid());
    Files.createDirectories(
        path.getParent(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.deleteIfExists(path);
    socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    socket.bind(UnixDomainSocketAddress.of(path));
    Thread.ofPlatform().name("hostshare-control").daemon().start(this::accept);
  }

  void add(ActiveMount mount) {
    mounts.add(mount);
  }

  /** Takes a mount that is gone off the list. */
  void remove(ActiveMount mount) {
    mounts.remove(mount);
  }

  List<ActiveMount> mounts() {
    return List.copyOf(mounts);
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel client = socket.accept();
        Thread.ofVirtual().name("hostshare-control").start(() -> serve(client));
      }
    } catch (ClosedChannelException e) {
      // the process ends
    } catch (IOException e) {
      log.error("the control socket {} does not work any more", path, e);
    }
  }

  private void serve(SocketChannel client) {
    try (client;
        var in = new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8));
        var out = Channels.newWriter(client, StandardCharsets.UTF_8)) {
      String line = in.readLine();
      if (line != null) {
        out.write(answer(line));
      }
    } catch (IOException e) {
      log.debug("a client of the control socket went away", e);
    } catch (RuntimeException | Error e) {
      log.error("a request on the control socket failed", e);
    }
  }

  private String answer(String line) {
    int space = line.indexOf(' ');
    String verb = space < 0 ? line : line.substring(0, space);
    String argument = space < 0 ? "" : line.substring(space + 1);
    return switch (verb) {
      case "status" -> status(argument.equals("json"));
      case "owner" -> find(argument).isPresent() ? "yes" : "no";
      case "umount" -> find(argument).map(this::unmount).orElse("no");
      default -> "error unknown request " + verb;
    };
  }

  /** The one in the tree, not those that only containers have still. */
  private Optional<ActiveMount> find(String mountPoint) {
    return mounts.stream()
        .filter(active -> !active.isDetached())
        .filter(active -> active.mount().mountPoint().toString().equals(mountPoint))
        .findFirst();
  }

  private String unmount(ActiveMount active) {
    try {
      active.unmount();
      return active.mount().awaitUnmounted(UNMOUNT_TIME) ? "done" : "shared";
    } catch (IOException e) {
      return "error " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "error interrupted";
    }
  }

  private String status(boolean json) {
    var text = new StringBuilder();
    for (ActiveMount active : mounts) {
      text.append(json ? MountStatus.json(active) + "," : MountStatus.text(active));
    }
    return text.toString();
  }

  @Override
  public void close() {
    try {
      socket.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.warn("cannot remove the control socket {}", path, e);
    }
  }
}
