package dev.hostshare.fileserver.rpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.netty.channel.unix.PeerCredentials;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** On a Unix socket, lets in the server's own user and root, and nobody else. */
final class PeerUserCheck implements ServerInterceptor {
  private static final Logger log = LoggerFactory.getLogger(PeerUserCheck.class);

  private final int ownUid;

  PeerUserCheck(int ownUid) {
    this.ownUid = ownUid;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    PeerCredentials peer = call.getAttributes().get(PeerCredentialsNegotiator.PEER);
    if (peer != null && (peer.uid() == 0 || peer.uid() == ownUid)) {
      return next.startCall(call, headers);
    }
    log.warn("refused on the unix socket: {}", peer);
    call.close(
        Status.PERMISSION_DENIED.withDescription(
            "only root and uid " + ownUid + " may use this socket"),
        new Metadata());
    return new ServerCall.Listener<>() {};
  }
}
