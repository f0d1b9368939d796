package dev.hostshare.agent.remote;

import dev.hostshare.proto.v1.Invalidate;

/** Hears what happens to a session unasked. Called on the event loop thread; must not block. */
public interface SessionListener {

  /** The server says that something cached is no longer so. */
  void onInvalidate(Invalidate invalidate);

  /**
   * The connection to the server broke: nothing cached is covered by invalidations from here on.
   */
  void onDisconnected();
}
