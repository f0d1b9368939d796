package dev.hostshare.agent.remote;

import dev.hostshare.proto.v1.Invalidate;
import dev.hostshare.proto.v1.Share;
import java.util.List;

/** Hears what happens to a session unasked. Called on the event loop thread; must not block. */
public interface SessionListener {

  /** The server says that something cached is no longer so. */
  void onInvalidate(Invalidate invalidate);

  /**
   * The server grants these shares, and no others from here on. Comes whenever it welcomes us, for
   * the first time or again, and whenever it shares something else.
   */
  void onShares(List<Share> shares);

  /**
   * The connection to the server broke: nothing cached is covered by invalidations from here on.
   */
  void onDisconnected();
}
