package dev.hostshare.fileserver.rpc;

import io.grpc.Attributes;
import io.grpc.ChannelLogger;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpc.netty.InternalProtocolNegotiationEvent;
import io.grpc.netty.InternalProtocolNegotiator;
import io.grpc.netty.InternalProtocolNegotiators;
import io.grpc.netty.ProtocolNegotiationEvent;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import io.netty.util.AsciiString;
import java.io.IOException;

/**
 * For Unix sockets: adds who is at the other end to a connection's attributes, as the kernel
 * recorded it at connect(2) (SO_PEERCRED, unix(7)).
 */
final class PeerCredentialsNegotiator implements InternalProtocolNegotiator.ProtocolNegotiator {
  /** The user at the other end. */
  static final Attributes.Key<PeerCredentials> PEER = Attributes.Key.create("peer-credentials");

  @Override
  public AsciiString scheme() {
    return AsciiString.of("http");
  }

  @Override
  public ChannelHandler newHandler(GrpcHttp2ConnectionHandler grpc) {
    ChannelHandler next = InternalProtocolNegotiators.grpcNegotiationHandler(grpc);
    ChannelLogger logger = grpc.getNegotiationLogger();
    return InternalProtocolNegotiators.waitUntilActiveHandler(new AddCredentials(next), logger);
  }

  @Override
  public void close() {}

  private static final class AddCredentials extends ChannelInboundHandlerAdapter {
    private final ChannelHandler next;

    AddCredentials(ChannelHandler next) {
      this.next = next;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) throws IOException {
      if (!(event instanceof ProtocolNegotiationEvent negotiation)) {
        context.fireUserEventTriggered(event);
        return;
      }
      // An exception here closes the connection: without credentials nobody is let in.
      PeerCredentials peer = ((EpollDomainSocketChannel) context.channel()).peerCredentials();
      Attributes attributes =
          InternalProtocolNegotiationEvent.getAttributes(negotiation).toBuilder()
              .set(PEER, peer)
              .build();
      context.pipeline().replace(context.name(), null, next);
      context
          .pipeline()
          .context(next)
          .pipeline()
          .fireUserEventTriggered(
              InternalProtocolNegotiationEvent.withAttributes(negotiation, attributes));
    }
  }
}
