package dev.hostshare.test.system;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A Unix socket that leads to another one until it is cut: the network that fails. */
final class Relay implements AutoCloseable {
  private final Path path;
  private final Path target;
  private final List<SocketChannel> ends = new ArrayList<>();
  private ServerSocketChannel listening;

  Relay(Path path, Path target) {
    this.path = path;
    this.target = target;
    mend();
  }

  String address() {
    return "unix:" + path;
  }

  /** Breaks every connection; there are no new ones. */
  synchronized void cut() {
    try {
      listening.close();
      for (SocketChannel end : ends) {
        end.close();
      }
      ends.clear();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Lets connections through again. */
  synchronized void mend() {
    try {
      ServerSocketChannel opened = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      opened.bind(UnixDomainSocketAddress.of(path));
      listening = opened;
      Thread.ofVirtual().start(() -> accept(opened));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept(ServerSocketChannel on) {
    try {
      while (true) {
        join(on.accept());
      }
    } catch (ClosedChannelException e) {
      // cut
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private synchronized void join(SocketChannel near) throws IOException {
    ends.add(near);
    SocketChannel far = SocketChannel.open(UnixDomainSocketAddress.of(target));
    ends.add(far);
    Thread.ofPlatform().daemon().start(() -> copy(near, far));
    Thread.ofPlatform().daemon().start(() -> copy(far, near));
  }

  private static void copy(SocketChannel from, SocketChannel to) {
    var buffer = ByteBuffer.allocateDirect(1 << 16);
    try (from;
        to) {
      while (from.read(buffer) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          to.write(buffer);
        }
        buffer.clear();
      }
    } catch (IOException e) {
      // One end was closed: so is the other.
    }
  }

  @Override
  public void close() {
    cut();
  }
}
