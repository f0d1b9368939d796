package dev.hostshare.fileserver.rpc;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongPredicate;

/** Requests that are to be done after others that run, by the numbers of these. Not thread-safe. */
final class Followers {
  /** By the request that is waited for. */
  private final Map<Long, List<Follower>> waiting = new HashMap<>();

  private static final class Follower {
    final Runnable request;

    /** So many others are waited for. */
    int left;

    Follower(Runnable request) {
      this.request = request;
    }
  }

  /**
   * Keeps a request until others are done.
   *
   * @param after the others' numbers; those that do not run are not waited for
   * @return false if none of them runs: it was not kept
   */
  boolean add(Runnable request, LongPredicate runs, Collection<Long> after) {
    var follower = new Follower(request);
    for (long before : Set.copyOf(after)) {
      if (runs.test(before)) {
        follower.left++;
        waiting.computeIfAbsent(before, _ -> new ArrayList<>(1)).add(follower);
      }
    }
    return follower.left > 0;
  }

  /** Request {@code seq} is done: gives out those that waited for it and for no other. */
  List<Runnable> done(long seq) {
    var ready = new ArrayList<Runnable>(0);
    List<Follower> waited = waiting.remove(seq);
    for (Follower follower : waited == null ? List.<Follower>of() : waited) {
      if (--follower.left == 0) {
        ready.add(follower.request);
      }
    }
    return ready;
  }
}
