package dev.hostshare.agent.cli;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The process that serves one mount, from mounting to the end. */
final class MountProcess {
  private static final Logger log = LoggerFactory.getLogger(MountProcess.class);

  private MountProcess() {}

  /**
   * Mounts, calls {@code ready}, and serves until it is unmounted or the process is told to end.
   * SIGTERM, SIGINT and SIGHUP unmount.
   *
   * @throws IOException if it cannot be mounted, or is no longer shared
   */
  static void run(MountRequest request, Runnable ready) throws IOException, InterruptedException {
    Termination termination = null;
    try (var control = new ControlServer()) {
      ActiveMount active = request.mount();
      control.add(active);
      var current = new AtomicReference<>(active);
      termination = new Termination(() -> unmount(current.get()));
      log.info(
          "{}: {} of {} is mounted, driver {}",
          request.mountPoint(),
          request.share(),
          request.session().address(),
          request.driver());
      ready.run();
      active.serve();
      while (active.isWithdrawn()) {
        control.remove(active);
        // The folder may have been removed and made again: then it is another share at the same
        // path.
        active = request.mount();
        current.set(active);
        control.add(active);
        log.info("{}: mounted again", request.mountPoint());
        active.serve();
      }
      log.info("{}: unmounted", request.mountPoint());
    } finally {
      if (termination != null) {
        termination.done();
      }
    }
  }

  private static void unmount(ActiveMount active) {
    try {
      active.mount().unmount(true);
    } catch (IOException e) {
      log.error("{}", e.getMessage());
    }
  }
}
