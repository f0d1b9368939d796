package dev.hostshare.agent.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends the process in good order when it is told to by a signal: SIGTERM, SIGINT, SIGHUP.
 *
 * <p>The JVM answers these by running its shutdown hooks and then stops, whatever the main thread
 * is doing. So the hook begins the end and waits until the main thread has come to it, for a
 * bounded time: a mount that is in use would keep it for ever.
 */
final class Termination {

  /** Time for files to be closed and the server to be told. */
  private static final int GRACE_SECONDS = 2;

  private final CountDownLatch done = new CountDownLatch(1);
  private final Runnable begin;

  /** {@code begin}: makes the main thread come to its end; called on the hook's thread. */
  Termination(Runnable begin) {
    this.begin = begin;
    Runtime.getRuntime().addShutdownHook(new Thread(this::run, "hostshare-exit"));
  }

  /** The main thread has cleaned up; from here on the hook has nothing to do. */
  void done() {
    done.countDown();
  }

  private void run() {
    if (done.getCount() == 0) {
      return; // the end came first, and with an exit code of its own
    }
    begin.run();
    try {
      if (done.await(GRACE_SECONDS, TimeUnit.SECONDS)) {
        // Otherwise the JVM would end with 128 + SIGTERM, as if it had failed.
        Runtime.getRuntime().halt(0);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
