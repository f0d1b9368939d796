package dev.hostshare.agent.remote;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/**
 * The numbers of a session's requests, those without an answer, and those that wait for a free
 * place among the requests in flight. Not thread-safe: guarded by the session's state lock.
 *
 * <p>Requests enter in the order of their numbers, so the first entry of the insertion-ordered map
 * is the oldest, and the low-water mark costs nothing.
 */
final class CallTable {
  private final LinkedHashMap<Long, PendingCall> pending = new LinkedHashMap<>();
  private final ArrayDeque<PendingCall> queue = new ArrayDeque<>();
  private long nextSeq = 1;
  private int inFlight;
  private int limit = 1;

  /** Sets how many requests may be in flight; those that already are stay. */
  void limit(int maxInFlight) {
    limit = Math.max(1, maxInFlight);
  }

  /**
   * Gives {@code call} its number. It is to be sent at once if the result is true, else it waits.
   */
  boolean add(PendingCall call, boolean connected) {
    call.seq = nextSeq++;
    pending.put(call.seq, call);
    if (connected && (call.mayWait() || (inFlight < limit && queue.isEmpty()))) {
      markSent(call);
      return true;
    }
    queue.add(call);
    return false;
  }

  /** Asks the server to do {@code call}, which is not added yet, after {@code before}. */
  void putAfter(PendingCall call, Call before) {
    if (before instanceof PendingCall earlier && isPending(earlier)) {
      call.frame.addAfter(earlier.seq);
    }
  }

  /** Takes out the call that reply {@code seq} belongs to; null if none waits for it. */
  PendingCall remove(long seq) {
    PendingCall call = pending.remove(seq);
    if (call != null && call.sent) {
      unmarkSent(call);
    }
    return call;
  }

  /**
   * A lock that may wait has no place in flight, here as at the server: enough of them would keep
   * their holder's unlock from being sent.
   */
  private void markSent(PendingCall call) {
    call.sent = true;
    if (!call.mayWait()) {
      inFlight++;
    }
  }

  private void unmarkSent(PendingCall call) {
    if (!call.mayWait()) {
      inFlight--;
    }
  }

  /** Withdraws a call that was not sent; false if it was. */
  boolean withdraw(PendingCall call) {
    return !call.sent && pending.remove(call.seq, call) && queue.remove(call);
  }

  boolean isPending(PendingCall call) {
    return pending.get(call.seq) == call;
  }

  /** The next waiting call if there is a place in flight for it; it is to be sent now. */
  Optional<PendingCall> admit() {
    if (inFlight >= limit) {
      return Optional.empty();
    }
    PendingCall call = queue.poll();
    if (call != null) {
      markSent(call);
    }
    return Optional.ofNullable(call);
  }

  /**
   * Every call that was sent and has no answer, oldest first: what a resumed session sends again.
   */
  List<PendingCall> unanswered() {
    var calls = new ArrayList<PendingCall>();
    for (PendingCall call : pending.values()) {
      if (call.sent) {
        calls.add(call);
      }
    }
    return calls;
  }

  /**
   * Gives every call up and returns those whose callers are to be told. Sent calls that may have
   * left something on the server stay, so that it can be undone when the session is resumed.
   */
  List<PendingCall> abandon() {
    var calls = new ArrayList<PendingCall>();
    for (Iterator<PendingCall> all = pending.values().iterator(); all.hasNext(); ) {
      PendingCall call = all.next();
      if (!call.abandoned) {
        calls.add(call);
      }
      if (call.sent && call.leavesState()) {
        call.abandoned = true;
        call.cancelled = true;
      } else {
        if (call.sent) {
          unmarkSent(call);
        }
        all.remove();
      }
    }
    queue.clear();
    return calls;
  }

  /** Begins a new session's numbering and returns the calls of the old one. */
  List<PendingCall> restart() {
    var calls = new ArrayList<>(pending.values());
    pending.clear();
    queue.clear();
    nextSeq = 1;
    inFlight = 0;
    return calls;
  }

  /** The number up to which every request has been answered. */
  long acked() {
    return pending.isEmpty() ? nextSeq - 1 : pending.firstEntry().getKey() - 1;
  }

  int inFlight() {
    return inFlight;
  }

  int queued() {
    return queue.size();
  }
}
