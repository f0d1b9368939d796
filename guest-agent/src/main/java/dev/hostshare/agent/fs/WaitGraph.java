package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.Lock;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Who waits for whose POSIX lock, so that processes of this guest that would wait for each other
 * for ever are told EDEADLK, as fcntl(2) says. Thread-safe.
 *
 * <p>The server cannot tell: to its kernel all of a guest's locks are one process's. Nor is a
 * circle seen that goes through another guest or a process of the host.
 */
final class WaitGraph {
  private record Wait(Inode inode, Lock lock) {}

  /**
   * By lock owner: a process waits for one lock at a time, its threads count as one, as in Linux.
   */
  private final Map<Long, Wait> waits = new HashMap<>();

  /** Notes that {@code owner} is about to wait; false if it would wait for itself in the end. */
  synchronized boolean begin(long owner, Inode inode, Lock lock) {
    var wait = new Wait(inode, lock);
    if (leadsTo(owner, owner, wait, new HashSet<>())) {
      return false;
    }
    waits.put(owner, wait);
    return true;
  }

  synchronized void end(long owner) {
    waits.remove(owner);
  }

  private boolean leadsTo(long target, long waiter, Wait wait, Set<Long> seen) {
    for (long holder : wait.inode().locks().inTheWay(waiter, wait.lock())) {
      if (holder == target) {
        return true;
      }
      Wait next = waits.get(holder);
      if (next != null && seen.add(holder) && leadsTo(target, holder, next, seen)) {
        return true;
      }
    }
    return false;
  }
}
