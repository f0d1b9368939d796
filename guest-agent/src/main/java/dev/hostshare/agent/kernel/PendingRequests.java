package dev.hostshare.agent.kernel;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The requests without an answer, so that FUSE_INTERRUPT reaches the one that it is about. The
 * kernel sends it after that one was read. Thread-safe.
 */
final class PendingRequests {
  private final Map<Long, FuseRequest> requests = new ConcurrentHashMap<>();

  /** Takes note of a request before it is begun. */
  void begun(FuseRequest request) {
    requests.put(request.unique, request);
  }

  void finished(long unique) {
    requests.remove(unique);
  }

  /** Interrupts a request; does nothing if it has been answered. */
  void interrupt(long unique) {
    FuseRequest request = requests.get(unique);
    if (request != null) {
      request.interrupt();
    }
  }

  /** Requests without an answer. */
  int size() {
    return requests.size();
  }
}
