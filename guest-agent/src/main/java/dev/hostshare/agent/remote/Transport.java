package dev.hostshare.agent.remote;

import dev.hostshare.proto.net.PollingLoop;
import io.grpc.ManagedChannel;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NegotiationType;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.handler.ssl.SslContext;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;

/**
 * A gRPC channel to one server, with one event loop thread of its own on which replies are
 * delivered.
 */
final class Transport implements AutoCloseable {

  /** 4 MiB: four full-sized reads on their way. Fixed, so that gRPC sends no pings to measure. */
  private static final int FLOW_CONTROL_WINDOW = 4 << 20;

  /** Room for a frame around its payload, or for a full directory listing. */
  private static final int FRAME_OVERHEAD = 1 << 20;

  /**
   * gRPC's minimum. A server that hangs is noticed after this and {@link #PROBE_TIMEOUT_SECONDS}.
   */
  private static final int PROBE_SECONDS = 10;

  private static final int PROBE_TIMEOUT_SECONDS = 5;

  /** How long a server that is there may take to answer a goodbye. */
  private static final int GOODBYE_MILLIS = 500;

  private final EventLoopGroup eventLoop;
  private final IoEventLoop executor;
  private final ManagedChannel channel;

  private Transport(EventLoopGroup eventLoop, ManagedChannel channel) {
    this.eventLoop = eventLoop;
    this.executor = (IoEventLoop) eventLoop.next(); // it has one
    this.channel = channel;
  }

  /**
   * Prepares a channel; nothing is connected yet.
   *
   * @throws SessionException if the TLS files cannot be used
   */
  static Transport create(ServerAddress address, TransportSecurity security)
      throws SessionException {
    security.check(address);
    SslContext tls =
        address instanceof ServerAddress.Tcp && security.hasTls() ? tlsContext(security) : null;
    PollingLoop polling = new PollingLoop();
    if (address instanceof ServerAddress.Unix) {
      polling.besideServer();
    }
    EventLoopGroup eventLoop =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("hostshare-io", true), polling.handlers());
    NettyChannelBuilder builder =
        switch (address) {
          case ServerAddress.Unix unix ->
              NettyChannelBuilder.forAddress(new DomainSocketAddress(unix.path().toFile()))
                  .channelType(EpollDomainSocketChannel.class)
                  .overrideAuthority("localhost");
          case ServerAddress.Tcp tcp ->
              NettyChannelBuilder.forAddress(tcp.host(), tcp.port())
                  .channelType(EpollSocketChannel.class);
        };
    if (tls != null) {
      builder.sslContext(tls).negotiationType(NegotiationType.TLS);
    } else {
      builder.negotiationType(NegotiationType.PLAINTEXT);
    }
    ManagedChannel channel =
        builder
            .eventLoopGroup(eventLoop)
            .directExecutor()
            .flowControlWindow(FLOW_CONTROL_WINDOW)
            .maxInboundMessageSize(SessionOptions.MAX_PAYLOAD + FRAME_OVERHEAD)
            .keepAliveTime(PROBE_SECONDS, TimeUnit.SECONDS)
            .keepAliveTimeout(PROBE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .disableRetry()
            // A proxy from the environment has no business between a guest and its host.
            .proxyDetector(target -> null)
            .build();
    return new Transport(eventLoop, channel);
  }

  private static SslContext tlsContext(TransportSecurity security) throws SessionException {
    try {
      return GrpcSslContexts.forClient()
          .protocols("TLSv1.3")
          .trustManager(security.authority().toFile())
          .keyManager(security.certificate().toFile(), security.key().toFile())
          .build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new SessionException(
          "cannot use the TLS files %s, %s, %s: %s. They must be PEM, the key in PKCS#8 form (openssl pkcs8 -topk8 -nocrypt converts one)."
              .formatted(
                  security.certificate(), security.key(), security.authority(), e.getMessage()),
          e);
    }
  }

  /** Whether the calling thread is the one that replies come on. */
  boolean inEventLoop() {
    return executor.inEventLoop();
  }

  /** Begins to watch a descriptor, as {@link Session#poll} says. */
  PolledDescriptor poll(int fd, Runnable ready, Runnable ended) {
    return new PolledDescriptor(executor, fd, ready, ended);
  }

  ManagedChannel channel() {
    return channel;
  }

  /** Lets streams that are ending end, breaks the others, and ends the event loop. */
  @Override
  public void close() {
    channel.shutdown();
    try {
      if (!channel.awaitTermination(GOODBYE_MILLIS, TimeUnit.MILLISECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException e) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
    var _ = eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
