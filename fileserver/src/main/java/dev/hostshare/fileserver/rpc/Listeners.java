package dev.hostshare.fileserver.rpc;

import dev.hostshare.proto.net.PollingLoop;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * The listening sockets and who may connect to each: Unix sockets by peer credentials, TCP by
 * client certificates. Not thread-safe.
 */
final class Listeners implements AutoCloseable {
  /** A frame of the largest payload and what is around it. */
  private static final int MAX_MESSAGE = FileServiceHandler.MAX_PAYLOAD + (64 << 10);

  /** 8 MiB: eight of the largest frames on their way before the sender has to wait. */
  private static final int WINDOW = 8 << 20;

  private static final long KEEP_ALIVE_SECONDS = 20;

  /**
   * Agents ping every ten seconds, on Unix sockets too; gRPC ends connections that ping oftener.
   */
  private static final long PERMITTED_PING_SECONDS = 5;

  private static final long STOP_SECONDS = 2;

  private final int ownUid;
  private final PollingLoop polling = new PollingLoop();
  private final EventLoopGroup accepting =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final EventLoopGroup working = new MultiThreadIoEventLoopGroup(2, polling.handlers());
  private final List<Server> servers = new ArrayList<>();
  private final List<Path> sockets = new ArrayList<>();
  private final List<String> addresses = new ArrayList<>();

  Listeners(int ownUid) {
    this.ownUid = ownUid;
  }

  /**
   * Starts to listen for the user's own tools. Calls of several services are run by {@code
   * executor}.
   */
  void control(
      ListenAddress.Unix address, List<ServerServiceDefinition> services, Executor executor)
      throws IOException {
    listenUnix(address.path(), services, executor);
  }

  /**
   * Starts to listen.
   *
   * @param tls null for a Unix socket, or for plaintext on loopback
   * @param executor runs the service's callbacks
   * @throws IOException with a message for the user
   */
  void listen(
      ListenAddress address,
      TlsFiles tls,
      boolean insecureLoopback,
      ServerServiceDefinition service,
      Executor executor)
      throws IOException {
    switch (address) {
      case ListenAddress.Unix unix -> {
        listenUnix(unix.path(), List.of(service), executor);
        polling.besideAgent();
      }
      case ListenAddress.Tcp tcp -> listenTcp(tcp, tls, insecureLoopback, service, executor);
    }
  }

  private void listenUnix(Path path, List<ServerServiceDefinition> services, Executor executor)
      throws IOException {
    removeStale(path);
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new DomainSocketAddress(path.toFile()))
            .channelType(EpollServerDomainSocketChannel.class)
            .protocolNegotiator(new PeerCredentialsNegotiator());
    start(builder, services, executor, new PeerUserCheck(ownUid), "unix:" + path);
    sockets.add(path);
    // The check above is what counts; the mode keeps others from even knocking.
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    addresses.add("unix:" + path);
  }

  /** A socket file that nobody listens on is left over from a server that was killed. */
  private static void removeStale(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.connect(UnixDomainSocketAddress.of(path));
    } catch (java.net.ConnectException e) {
      Files.delete(path);
      return;
    } catch (IOException e) {
      throw new IOException(
          "cannot listen on unix:" + path + ": it exists and is no socket of ours; remove it", e);
    }
    throw new IOException("cannot listen on unix:" + path + ": another process listens there");
  }

  private void listenTcp(
      ListenAddress.Tcp address,
      TlsFiles tls,
      boolean insecureLoopback,
      ServerServiceDefinition service,
      Executor executor)
      throws IOException {
    InetAddress host = InetAddress.getByName(address.host());
    if (tls == null && !(insecureLoopback && host.isLoopbackAddress())) {
      throw new IOException(
          address
              + " needs --tls-cert, --tls-key and --tls-ca"
              + (host.isLoopbackAddress()
                  ? ", or --insecure-loopback to let every user of this machine connect"
                  : "; there is no plaintext TCP beyond loopback"));
    }
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(host, address.port()))
            .channelType(EpollServerSocketChannel.class)
            .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS);
    if (tls != null) {
      builder.sslContext(sslContext(tls));
    }
    Server server =
        start(builder, List.of(service), executor, new PeerAddress(), address.toString());
    addresses.add(new ListenAddress.Tcp(address.host(), server.getPort()).toString());
  }

  private static SslContext sslContext(TlsFiles tls) throws IOException {
    for (Path file : List.of(tls.certificate(), tls.key(), tls.authority())) {
      if (!Files.isReadable(file)) {
        throw new IOException("cannot read " + file + ", which a --tls option names");
      }
    }
    try {
      return GrpcSslContexts.forServer(tls.certificate().toFile(), tls.key().toFile())
          .trustManager(tls.authority().toFile())
          .clientAuth(ClientAuth.REQUIRE)
          .protocols("TLSv1.3")
          .build();
    } catch (IllegalArgumentException | javax.net.ssl.SSLException e) {
      throw new IOException(
          "the --tls files do not make an identity: "
              + e.getMessage()
              + "; PEM certificates and an unencrypted PKCS#8 key are needed",
          e);
    }
  }

  private Server start(
      NettyServerBuilder builder,
      List<ServerServiceDefinition> services,
      Executor executor,
      ServerInterceptor check,
      String name)
      throws IOException {
    Server server =
        builder
            .bossEventLoopGroup(accepting)
            .workerEventLoopGroup(working)
            .executor(executor)
            .maxInboundMessageSize(MAX_MESSAGE)
            .flowControlWindow(WINDOW)
            .permitKeepAliveTime(PERMITTED_PING_SECONDS, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .addServices(services)
            .addService(new HealthStatusManager().getHealthService())
            .addService(ProtoReflectionServiceV1.newInstance())
            // The last interceptor runs first: nothing is served before the check.
            .intercept(new PeerAddress())
            .intercept(check)
            .build();
    try {
      server.start();
    } catch (IOException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new IOException("cannot listen on " + name + ": " + cause.getMessage(), e);
    }
    servers.add(server);
    return server;
  }

  /** Where clients can connect, with the port that the system chose. */
  List<String> addresses() {
    return List.copyOf(addresses);
  }

  @Override
  public void close() {
    servers.forEach(Server::shutdownNow);
    try {
      for (Server server : servers) {
        server.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    var _ = accepting.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    var _ = working.shutdownGracefully(0, 0, TimeUnit.SECONDS);
    for (Path socket : sockets) {
      // Left behind, it would be found stale by the next server and removed then.
      boolean ignored = socket.toFile().delete();
    }
  }
}
