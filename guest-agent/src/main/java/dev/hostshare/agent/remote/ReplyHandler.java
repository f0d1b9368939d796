package dev.hostshare.agent.remote;

import dev.hostshare.proto.v1.ServerFrame;

/**
 * Takes the outcome of one request. Exactly one of {@link #onReply}, {@link #onLost} and {@link
 * #onAbandoned} is called, save that a reply may still arrive after {@link #onAbandoned}.
 *
 * <p>Called on the event loop thread or on the thread that noticed a failure; must not block.
 */
public interface ReplyHandler {

  /**
   * The server's answer; its errno says how the operation ended. The {@code data} of a read is
   * valid until this returns.
   */
  void onReply(ServerFrame frame);

  /**
   * The request's node ids and handles belong to a session that the server no longer knows.
   *
   * @param sent whether the request may have reached the server, and so may have been executed
   */
  void onLost(boolean sent);

  /**
   * Nobody waits for the server any longer.
   *
   * @param errno EIO for a session that is down, EINTR for a request that was cancelled before it
   *     was sent, ENOTCONN for a session that was closed
   */
  void onAbandoned(int errno);
}
