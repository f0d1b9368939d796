package dev.hostshare.agent.docker;

import static com.google.common.base.Preconditions.checkArgument;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpServerKeepAliveHandler;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The plugin's socket, where an engine finds it. */
public final class PluginServer implements AutoCloseable {
  /** Where engines look, under the plugin's name. */
  public static final Path DEFAULT_SOCKET = Path.of("/run/docker/plugins/hostshare.sock");

  /** An engine opens one for each question under way, and keeps two. */
  private static final int MOST_CONNECTIONS = 512;

  /** A request comes from the same machine at once, or not at all. */
  private static final Duration REQUEST_TIME = Duration.ofSeconds(30);

  private final Path socket;
  private final FileChannel lock;
  private final EventLoopGroup eventLoop;
  private final Workers workers = new Workers();
  private final AtomicInteger connections = new AtomicInteger();

  private PluginServer(Path socket, FileChannel lock) {
    this.socket = socket;
    this.lock = lock;
    this.eventLoop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("hostshare-docker-io", true), EpollIoHandler.newFactory());
  }

  /**
   * Begins to answer. The socket of one that was killed is replaced; its folder is made.
   *
   * @param socket absolute; readable and writable for its owner alone
   * @throws IOException if another one serves there, or the kernel or the socket cannot be used
   */
  public static PluginServer start(Path socket, Shares shares, AllowedPaths allowed)
      throws IOException {
    checkArgument(socket.getParent() != null, "a socket needs a name: %s", socket);
    checkKernel();
    FileChannel lock = lock(socket);
    PluginServer server = null;
    try {
      checkReplaceable(socket);
      server = new PluginServer(socket, lock);
      server.listen(new BindPolicy(shares, allowed));
      return server;
    } catch (IOException | RuntimeException | Error e) {
      if (server != null) {
        server.end();
      }
      lock.close();
      throw e;
    }
  }

  private static void checkKernel() throws IOException {
    try {
      Location.of("/");
    } catch (UncheckableException e) {
      throw new IOException(
          e.getMessage() + ": the plugin needs openat2(2), which Linux has since 5.6", e);
    }
  }

  /** The lock goes with the process, so of two that start at once one gets it. */
  private static FileChannel lock(Path socket) throws IOException {
    FileChannel lock;
    try {
      Files.createDirectories(socket.getParent());
      lock =
          FileChannel.open(
              socket.resolveSibling(socket.getFileName() + ".lock"),
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE);
    } catch (FileSystemException e) {
      throw unusable(socket, "its folder cannot be used (" + e + "). Mend that, or");
    }
    if (lock.tryLock() == null) {
      lock.close();
      throw unusable(socket, "another docker-plugin serves there. End it, or");
    }
    return lock;
  }

  private static void checkReplaceable(Path socket) throws IOException {
    if (!Files.exists(socket, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!isSocket(socket)) {
      throw unusable(socket, "it is no socket. Remove it, or");
    }
    try (var probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.connect(UnixDomainSocketAddress.of(socket));
    } catch (IOException e) {
      return; // nobody listens
    }
    throw unusable(socket, "another program serves there. End it, or");
  }

  private static boolean isSocket(Path path) throws IOException {
    int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    return (mode & 0170000) == 0140000;
  }

  private static IOException unusable(Path socket, String why) {
    return new IOException(
        "cannot listen on " + socket + ": " + why + " name another path by --socket");
  }

  private void listen(BindPolicy policy) throws IOException {
    // Found by the engine when it is complete: nobody else gets in before its mode is set.
    Path hidden = socket.resolveSibling("." + ProcessHandle.current().pid());
    Files.deleteIfExists(hidden);
    ChannelFuture bound =
        new ServerBootstrap()
            .group(eventLoop)
            .channel(EpollServerDomainSocketChannel.class)
            .childHandler(new Connections(policy))
            .bind(new DomainSocketAddress(hidden.toFile()))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(
          "cannot listen on " + socket + ": " + bound.cause().getMessage(), bound.cause());
    }
    Files.setPosixFilePermissions(hidden, PosixFilePermissions.fromString("rw-------"));
    Files.move(hidden, socket, StandardCopyOption.ATOMIC_MOVE);
  }

  private final class Connections extends ChannelInitializer<Channel> {
    private final BindPolicy policy;

    Connections(BindPolicy policy) {
      this.policy = policy;
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // closing does not fail
    protected void initChannel(Channel channel) {
      channel.closeFuture().addListener(closed -> connections.decrementAndGet());
      if (connections.incrementAndGet() > MOST_CONNECTIONS) {
        channel.close(); // the engine does nothing then, and says so
        return;
      }
      channel
          .pipeline()
          .addLast(
              new IdleStateHandler(REQUEST_TIME.toSeconds(), 0, 0, TimeUnit.SECONDS),
              new HttpServerCodec(),
              new HttpServerKeepAliveHandler(),
              new AuthorizationHandler(policy, workers));
    }
  }

  public Path socket() {
    return socket;
  }

  /** Removes the socket and ends; what is under way is not answered. */
  @Override
  public void close() throws IOException {
    try {
      Files.deleteIfExists(socket);
    } finally {
      end();
      lock.close();
    }
  }

  private void end() {
    workers.close();
    eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
  }
}
