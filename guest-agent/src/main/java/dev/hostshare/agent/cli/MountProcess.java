package dev.hostshare.agent.cli;

import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The process that serves one mount, from mounting to the end. Thread-safe. */
final class MountProcess {
  private static final Logger log = LoggerFactory.getLogger(MountProcess.class);

  private final MountRequest request;
  private final ControlServer control;

  // ---- guarded by this ----
  private ActiveMount current;
  private boolean ending;

  MountProcess(MountRequest request, ControlServer control) {
    this.request = request;
    this.control = control;
  }

  /**
   * Mounts, calls {@code ready}, and serves until it is unmounted or the process is told to end.
   * SIGTERM, SIGINT and SIGHUP unmount.
   *
   * @throws IOException if it cannot be mounted, or is no longer shared
   */
  static void run(MountRequest request, Runnable ready) throws IOException, InterruptedException {
    Termination termination = null;
    try (var control = new ControlServer()) {
      var process = new MountProcess(request, control);
      ActiveMount active = process.mount();
      termination = new Termination(process::end);
      log.info(
          "{}: {} of {} is mounted, driver {}",
          request.mountPoint(),
          request.share(),
          request.session().address(),
          request.driver());
      ready.run();
      process.serve(active);
    } finally {
      if (termination != null) {
        termination.done();
      }
    }
  }

  /** Mounts; after {@link #end} it is not in the tree any more when this returns. */
  ActiveMount mount() throws IOException {
    ActiveMount active = request.mount();
    control.add(active);
    synchronized (this) {
      current = active;
      if (ending) {
        active.detach();
      }
    }
    return active;
  }

  /**
   * Serves until it is unmounted.
   *
   * @throws IOException if it is no longer shared
   */
  void serve(ActiveMount first) throws IOException, InterruptedException {
    ActiveMount active = first;
    active.serve();
    while (active.isWithdrawn() && !isEnding()) {
      control.remove(active);
      // The folder may have been removed and made again: then it is another share at the same path.
      active = mount();
      log.info("{}: mounted again", request.mountPoint());
      active.serve();
    }
    log.info("{}: unmounted", request.mountPoint());
  }

  /** Unmounts, and lets {@link #serve} come to its end, even while it mounts again. */
  synchronized void end() {
    ending = true;
    if (current != null) {
      current.detach();
    }
  }

  private synchronized boolean isEnding() {
    return ending;
  }
}
