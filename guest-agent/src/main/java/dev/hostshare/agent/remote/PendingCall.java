package dev.hostshare.agent.remote;

import dev.hostshare.proto.v1.ClientFrame;

/** A request that has no answer yet. Its mutable fields are guarded by the session's state lock. */
final class PendingCall implements Call {
  private final Session session;
  final ClientFrame.Builder frame;
  final ReplyHandler handler;

  long seq;

  /** Handed to a stream at least once: the server may have executed it. */
  boolean sent;

  boolean cancelled;

  /** Its caller was answered; the reply is awaited only to undo what it gave. */
  boolean abandoned;

  PendingCall(Session session, ClientFrame.Builder frame, ReplyHandler handler) {
    this.session = session;
    this.frame = frame;
    this.handler = handler;
  }

  @Override
  public void cancel() {
    session.cancel(this);
  }

  /** Whether the server may wait for somebody else before it answers. */
  boolean mayWait() {
    return frame.hasSetlk() && frame.getSetlk().getWait();
  }

  /** Whether a late reply gives something that would stay behind on the server. */
  boolean leavesState() {
    return switch (frame.getOpCase()) {
      case WALK,
          SYMLINK,
          MKNOD,
          MKDIR,
          LINK,
          OPEN,
          CREATE,
          TMPFILE,
          OPENDIR,
          OPENDIR_AHEAD,
          READDIR,
          SURVEY,
          SETLK ->
          true;
      default -> false;
    };
  }
}
