package dev.hostshare.fileserver.rpc;

import dev.hostshare.fileserver.export.SessionLimits;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.ServerFrame;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * The replies of a session that may be lost on their way, for requests that must not be done again.
 * Not thread-safe.
 */
final class KeptReplies {
  /** Twice what can be without a reply: requests in flight, and locks that wait. */
  static final int MOST = 2 * (Session.MAX_IN_FLIGHT + SessionLimits.WAITING_LOCKS);

  /**
   * Listings that the client does not say to have, on the wire: ten times that in memory. One more
   * is done again if it is lost with its connection, and then costs lookup counts, no more.
   */
  private static final long MAX_BYTES = 2 << 20;

  private final Map<Long, ServerFrame> replies = new HashMap<>();

  /** Their numbers, as they were sent. */
  private final ArrayDeque<Long> order = new ArrayDeque<>();

  private long bytes;

  /** The reply to request {@code seq}; null if there is none. */
  ServerFrame get(long seq) {
    return replies.get(seq);
  }

  /** The client has every reply up to this number. */
  void acked(long seq) {
    while (!order.isEmpty() && order.peek() <= seq) {
      forgetEldest();
    }
  }

  /**
   * Keeps a reply that is about to be sent, if the request must not be done again; that of an open
   * without the file's content, which can be read.
   */
  void add(ClientFrame request, ServerFrame reply) {
    if (mayRunAgain(request)
        || (isListing(request) && bytes + reply.getSerializedSize() > MAX_BYTES)) {
      return;
    }
    ServerFrame kept = withoutContent(reply);
    replies.put(request.getSeq(), kept);
    order.add(request.getSeq());
    bytes += kept.getSerializedSize();
    if (order.size() > MOST) {
      forgetEldest();
    }
  }

  private static ServerFrame withoutContent(ServerFrame reply) {
    return reply.getOpened().getContent().isEmpty()
        ? reply
        : reply.toBuilder().setOpened(reply.getOpened().toBuilder().clearContent()).build();
  }

  private void forgetEldest() {
    ServerFrame eldest = replies.remove(order.poll());
    if (eldest != null) {
      bytes -= eldest.getSerializedSize();
    }
  }

  private static boolean isListing(ClientFrame request) {
    return switch (request.getOpCase()) {
      case OPENDIR, READDIR, SURVEY, OPENDIR_AHEAD -> true;
      default -> false;
    };
  }

  /** What only looks, and hands out nothing; its replies are the big ones. */
  private static boolean mayRunAgain(ClientFrame request) {
    return switch (request.getOpCase()) {
      case READ, GETATTR, READLINK, STATFS, ACCESS, GETXATTR, LISTXATTR, LSEEK, GETLK -> true;
      default -> false;
    };
  }
}
