package dev.hostshare.agent.docker;

import java.io.IOException;

/** What is shared with this machine. Called by several threads. */
@FunctionalInterface
public interface Shares {
  /**
   * Whether a mount is a share at this moment.
   *
   * @param mountId as in /proc/self/mountinfo
   */
  boolean isShare(int mountId) throws IOException;
}
