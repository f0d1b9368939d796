package dev.hostshare.agent.fs;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

/** A mounted share, whichever driver mounted it. Thread-safe. */
public interface ShareMount {

  Path mountPoint();

  /** The driver's name: {@code kernel} or {@code jnr}. */
  String driver();

  /** Requests that the kernel waits for. */
  int pendingRequests();

  /**
   * Takes the mount out of the tree. That it is no longer there is no error.
   *
   * @param detach whether to do so even if it is in use: those who have files open keep them until
   *     this process ends
   * @throws IOException if it cannot be; EBUSY in words if it is in use and {@code detach} is false
   */
  void unmount(boolean detach) throws IOException;

  /**
   * Shows the mount as read-only, or writable. Copies of it, such as containers have, keep what
   * they show.
   *
   * @throws IOException if it cannot be: as read-only while files are open for writing, say
   */
  void showReadOnly(boolean readOnly) throws IOException;

  /**
   * Waits until the mount is gone, whoever unmounted it. That is when the last one is: a mount
   * namespace that was made meanwhile, such as a container's, may have one of its own.
   */
  void awaitUnmounted() throws InterruptedException;

  /** As {@link #awaitUnmounted()}, for a bounded time; false if it is still there. */
  boolean awaitUnmounted(Duration time) throws InterruptedException;
}
