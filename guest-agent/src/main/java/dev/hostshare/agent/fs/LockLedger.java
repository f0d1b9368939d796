package dev.hostshare.agent.fs;

import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Lock;
import java.util.ArrayList;
import java.util.List;

/**
 * The locks that were granted through one open file, so that they can be taken again at a server
 * that lost them. Thread-safe.
 *
 * <p>Ranges of one owner never overlap: a new lock replaces the part of the old ones that it
 * covers, as fcntl(2) says.
 */
final class LockLedger {

  /** One granted lock; {@code end} is inclusive. */
  record Held(long owner, boolean flock, int type, long start, long end, int pid) {
    private Held between(long from, long to) {
      return new Held(owner, flock, type, from, to, pid);
    }
  }

  private final List<Held> held = new ArrayList<>();

  /** Notes that {@code lock} was granted, or, with type F_UNLCK, given back. */
  synchronized void granted(long owner, boolean flock, Lock lock) {
    var kept = new ArrayList<Held>(held.size() + 2);
    for (Held h : held) {
      if (h.owner != owner
          || h.flock != flock
          || h.end < lock.getStart()
          || h.start > lock.getEnd()) {
        kept.add(h);
        continue;
      }
      if (h.start < lock.getStart()) {
        kept.add(h.between(h.start, lock.getStart() - 1));
      }
      if (h.end > lock.getEnd()) {
        kept.add(h.between(lock.getEnd() + 1, h.end));
      }
    }
    if (lock.getType() != Linux.F_UNLCK) {
      kept.add(
          new Held(owner, flock, lock.getType(), lock.getStart(), lock.getEnd(), lock.getPid()));
    }
    held.clear();
    held.addAll(kept);
  }

  /** Drops the POSIX locks of {@code owner}, as close(2) does. */
  synchronized void dropPosix(long owner) {
    held.removeIf(h -> !h.flock && h.owner == owner);
  }

  synchronized List<Held> all() {
    return List.copyOf(held);
  }
}
