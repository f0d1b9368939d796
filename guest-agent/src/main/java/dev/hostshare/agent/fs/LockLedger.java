package dev.hostshare.agent.fs;

import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Lock;
import java.util.ArrayList;
import java.util.List;

/**
 * The locks that were granted on one inode, so that they can be taken again at a server that lost
 * them, and so that a close without locks need not ask the server. Thread-safe.
 *
 * <p>A POSIX lock belongs to an owner (a process), whichever open file it was taken through, and
 * goes with the close of any of them; a BSD lock belongs to its open file. Ranges of one owner
 * never overlap: a new lock replaces the part of the old ones that it covers, as fcntl(2) says.
 */
final class LockLedger {

  /** One granted lock; {@code end} is inclusive. */
  record Held(OpenFile file, long owner, boolean flock, int type, long start, long end, int pid) {
    private Held between(long from, long to) {
      return new Held(file, owner, flock, type, from, to, pid);
    }

    private boolean isOf(OpenFile aFile, long anOwner, boolean aFlock) {
      return flock == aFlock && (flock ? file == aFile : owner == anOwner);
    }
  }

  /** Of an inode that was never locked. */
  static final LockLedger NONE = new LockLedger();

  private final List<Held> held = new ArrayList<>(0);

  /** Notes that {@code lock} was granted, or, with type F_UNLCK, given back. */
  synchronized void granted(OpenFile file, long owner, boolean flock, Lock lock) {
    var kept = new ArrayList<Held>(held.size() + 2);
    for (Held h : held) {
      if (!h.isOf(file, owner, flock) || h.end < lock.getStart() || h.start > lock.getEnd()) {
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
          new Held(
              file, owner, flock, lock.getType(), lock.getStart(), lock.getEnd(), lock.getPid()));
    }
    held.clear();
    held.addAll(kept);
  }

  /** Drops the POSIX locks of {@code owner}, as close(2) does; false if it had none. */
  synchronized boolean dropPosix(long owner) {
    return held.removeIf(h -> !h.flock && h.owner == owner);
  }

  /** Drops the BSD lock of an open file that is gone. */
  synchronized void dropFlock(OpenFile file) {
    held.removeIf(h -> h.flock && h.file == file);
  }

  /** The owners of POSIX locks that keep {@code owner} from getting {@code lock}. */
  synchronized List<Long> inTheWay(long owner, Lock lock) {
    return held.stream()
        .filter(h -> !h.flock && h.owner != owner)
        .filter(h -> h.end >= lock.getStart() && h.start <= lock.getEnd())
        .filter(h -> h.type == Linux.F_WRLCK || lock.getType() == Linux.F_WRLCK)
        .map(Held::owner)
        .distinct()
        .toList();
  }

  /** The locks that were taken through {@code file}. */
  synchronized List<Held> through(OpenFile file) {
    return held.stream().filter(h -> h.file == file).toList();
  }
}
