package dev.hostshare.fileserver.rpc;

import io.grpc.Attributes;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.netty.channel.unix.PeerCredentials;

/** Makes the peer's address known to the handlers, for logs and status. */
final class PeerAddress implements ServerInterceptor {
  private static final Context.Key<String> KEY = Context.key("peer");

  static String current() {
    String peer = KEY.get();
    return peer == null ? "unknown" : peer;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Attributes attributes = call.getAttributes();
    PeerCredentials user = attributes.get(PeerCredentialsNegotiator.PEER);
    String text =
        user == null
            ? String.valueOf(attributes.get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR))
            : "unix socket, uid " + user.uid() + ", pid " + user.pid();
    return Contexts.interceptCall(Context.current().withValue(KEY, text), call, headers, next);
  }
}
