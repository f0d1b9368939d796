package dev.hostshare.agent.kernel;

import java.util.LinkedHashSet;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Brings FUSE_INTERRUPT to the request that it is about, whichever is read first: with several
 * workers the interrupt may be. Thread-safe.
 */
final class PendingInterrupts {

  /**
   * How many interrupts of requests that we have not seen are remembered. One that came after its
   * request was answered stays here for good, so the oldest makes room.
   */
  private static final int MAX_EARLY = 1024;

  private final Map<Long, FuseRequest> requests = new ConcurrentHashMap<>();

  /** Guarded by itself. */
  private final LinkedHashSet<Long> early = new LinkedHashSet<>();

  /** Takes note of a request before it is begun. */
  void begun(FuseRequest request) {
    requests.put(request.unique, request);
    boolean interrupted;
    synchronized (early) {
      interrupted = !early.isEmpty() && early.remove(request.unique);
    }
    if (interrupted) {
      request.interrupt();
    }
  }

  void finished(long unique) {
    requests.remove(unique);
  }

  void interrupt(long unique) {
    FuseRequest request = requests.get(unique);
    if (request == null) {
      synchronized (early) {
        early.add(unique);
        if (early.size() > MAX_EARLY) {
          early.removeFirst();
        }
      }
      // It may have begun between the two looks.
      request = requests.get(unique);
      if (request == null) {
        return;
      }
      synchronized (early) {
        early.remove(unique);
      }
    }
    request.interrupt();
  }

  /** Requests without an answer. */
  int size() {
    return requests.size();
  }
}
