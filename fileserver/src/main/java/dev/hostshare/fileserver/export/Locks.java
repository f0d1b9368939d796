package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.BlockingCall;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;

/**
 * Advisory locks, taken on the host's files, so that guests and host processes exclude each other.
 *
 * <p>A BSD lock belongs to an open file description, as a handle does: it is taken on the handle's
 * descriptor. A POSIX lock belongs to a lock owner (a process of the guest): each owner of locks in
 * a file gets an open file description of its own, with open-file-description locks on it
 * (fcntl(2)), and the host's kernel does the rest: conflicts, ranges, fairness. Thread-safe; one
 * lock, not held over a waiting call.
 */
public final class Locks {
  private record Key(Node node, long owner) {}

  private static final class Owner {
    final int fd;
    final HeldRanges held = new HeldRanges();
    int pid;
    int users;
    boolean released;

    Owner(int fd) {
      this.fd = fd;
    }
  }

  /**
   * A lock as fcntl(2) has it.
   *
   * @param type F_RDLCK, F_WRLCK, F_UNLCK
   * @param end inclusive; {@link Long#MAX_VALUE} for the end of the file
   */
  public record Range(int type, long start, long end) {}

  private final ExportSession session;
  private final HostFs host;
  private final Map<Key, Owner> owners = new HashMap<>();
  private final Semaphore waiting;

  /** Who waits, and for a lock in what. */
  private final Map<BlockingCall, Node> waiters = new HashMap<>();

  Locks(ExportSession session, int waitingLimit) {
    this.session = session;
    this.host = session.host;
    this.waiting = new Semaphore(waitingLimit);
  }

  private static void check(Range range) throws ErrnoException {
    if (range.start() < 0 || range.end() < range.start()) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    if (range.type() < Linux.F_RDLCK || range.type() > Linux.F_UNLCK) {
      throw ErrnoException.of(Errno.EINVAL);
    }
  }

  /**
   * A lock in the way of this one, or null. Its pid is 0 if a host process or another guest has it.
   */
  public HostFs.HeldLock test(long handle, long owner, Range range) throws ErrnoException {
    check(range);
    OpenFile file = session.handles.enterFile(handle);
    try {
      Owner mine = enter(file, owner);
      try {
        HostFs.HeldLock found = host.testLock(mine.fd, range.type(), range.start(), range.end());
        if (found == null || found.pid() > 0) {
          // A pid here is a host process's, which would name a stranger in the guest.
          return found == null
              ? null
              : new HostFs.HeldLock(found.type(), found.start(), found.end(), 0);
        }
        return new HostFs.HeldLock(
            found.type(), found.start(), found.end(), pidOf(file.node, found));
      } finally {
        leave(file.node, owner, mine);
      }
    } finally {
      file.leave();
    }
  }

  private synchronized int pidOf(Node node, HostFs.HeldLock lock) {
    for (Map.Entry<Key, Owner> e : owners.entrySet()) {
      if (e.getKey().node() == node
          && e.getValue().held.holds(lock.type(), lock.start(), lock.end())) {
        return e.getValue().pid;
      }
    }
    return 0;
  }

  /** Takes or gives back a POSIX lock. False on conflict. */
  public boolean trySet(long handle, long owner, int pid, Range range) throws ErrnoException {
    return withOwner(
        handle,
        owner,
        pid,
        range,
        fd -> host.tryLock(fd, range.type(), range.start(), range.end()));
  }

  /** Takes a POSIX lock, waiting for it. EINTR when {@code turn} is cancelled. */
  public void setWaiting(long handle, long owner, int pid, Range range, BlockingCall turn)
      throws ErrnoException {
    waiting(
        handle,
        turn,
        () ->
            withOwner(
                handle,
                owner,
                pid,
                range,
                fd -> {
                  host.lock(fd, range.type(), range.start(), range.end(), turn);
                  return true;
                }));
  }

  private interface OnDescriptor {
    boolean apply(int fd) throws ErrnoException;
  }

  private boolean withOwner(long handle, long owner, int pid, Range range, OnDescriptor op)
      throws ErrnoException {
    check(range);
    OpenFile file = session.handles.enterFile(handle);
    try {
      Owner mine = enter(file, owner);
      try {
        boolean done = op.apply(mine.fd);
        if (done) {
          synchronized (this) {
            mine.held.set(range.type(), range.start(), range.end());
            mine.pid = pid;
          }
        }
        return done;
      } finally {
        leave(file.node, owner, mine);
      }
    } finally {
      file.leave();
    }
  }

  private Owner enter(OpenFile file, long owner) throws ErrnoException {
    Key key = new Key(file.node, owner);
    synchronized (this) {
      Owner known = owners.get(key);
      if (known != null) {
        known.users++;
        return known;
      }
    }
    Owner fresh = open(file);
    try {
      return enter(key, fresh);
    } catch (ErrnoException e) {
      close(fresh);
      throw e;
    }
  }

  /** ENOLCK if that would be a descriptor too many. */
  private Owner open(OpenFile file) throws ErrnoException {
    try {
      session.handles.take(file.node);
    } catch (ErrnoException e) {
      throw e.errno() == Errno.ENFILE ? ErrnoException.of(Errno.ENOLCK) : e;
    }
    try {
      return new Owner(openDescription(file));
    } catch (ErrnoException e) {
      session.handles.give(1);
      throw e;
    }
  }

  private void close(Owner owner) {
    host.close(owner.fd);
    session.handles.give(1);
  }

  private synchronized Owner enter(Key key, Owner fresh) throws ErrnoException {
    key.node().export.requireGranted(); // else it would outlive its share
    Owner known = owners.putIfAbsent(key, fresh);
    if (known != null) {
      close(fresh);
    }
    Owner mine = known == null ? fresh : known;
    mine.users++;
    return mine;
  }

  /** Readable and writable where we may, so that the owner can take either kind of lock with it. */
  private int openDescription(OpenFile file) throws ErrnoException {
    try {
      return session.descriptors.withRoom(() -> host.reopen(file.fd, Linux.O_RDWR));
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EACCES && e.errno() != Errno.EROFS && e.errno() != Errno.EPERM) {
        throw e;
      }
    }
    return session.descriptors.withRoom(() -> host.reopen(file.fd, file.flags & Linux.O_ACCMODE));
  }

  private synchronized void leave(Node node, long owner, Owner mine) {
    mine.users--;
    if (mine.users == 0 && (mine.released || mine.held.isEmpty())) {
      owners.remove(new Key(node, owner), mine);
      close(mine);
    }
  }

  /** close(2): all POSIX locks of this owner in this file go. */
  synchronized void releaseOwner(Node node, long owner) {
    if (owners.isEmpty()) {
      return;
    }
    Owner mine = owners.remove(new Key(node, owner));
    if (mine != null) {
      mine.released = true;
      if (mine.users == 0) {
        close(mine);
      }
    }
  }

  /** Takes or gives back the BSD lock of the handle. False on conflict. */
  public boolean tryFlock(long handle, int type) throws ErrnoException {
    OpenFile file = session.handles.enterFile(handle);
    try {
      return host.tryFlock(file.fd, type);
    } finally {
      file.leave();
    }
  }

  /** Takes the BSD lock of the handle, waiting for it. EINTR when {@code turn} is cancelled. */
  public void flockWaiting(long handle, int type, BlockingCall turn) throws ErrnoException {
    waiting(
        handle,
        turn,
        () -> {
          OpenFile file = session.handles.enterFile(handle);
          try {
            host.flock(file.fd, type, turn);
          } finally {
            file.leave();
          }
        });
  }

  private interface Wait {
    void run() throws ErrnoException;
  }

  private void waiting(long handle, BlockingCall turn, Wait wait) throws ErrnoException {
    OpenFile file = session.handles.enterFile(handle);
    Node node = file.node;
    file.leave();
    if (!waiting.tryAcquire()) {
      throw ErrnoException.of(Errno.ENOLCK);
    }
    synchronized (this) {
      waiters.put(turn, node);
    }
    try {
      node.export.requireGranted(); // else nobody might cancel it
      wait.run();
    } finally {
      synchronized (this) {
        waiters.remove(turn);
      }
      waiting.release();
    }
  }

  /** The POSIX locks in files of what was taken away go, and nobody waits any more. */
  void revoke() {
    List<BlockingCall> cancelled = new ArrayList<>();
    synchronized (this) {
      waiters.forEach(
          (turn, node) -> {
            if (!node.export.isGranted()) {
              cancelled.add(turn);
            }
          });
    }
    try {
      for (BlockingCall turn : cancelled) {
        turn.cancel();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    releaseRevoked();
  }

  private synchronized void releaseRevoked() {
    owners
        .entrySet()
        .removeIf(
            e -> {
              if (e.getKey().node().export.isGranted()) {
                return false;
              }
              Owner owner = e.getValue();
              owner.released = true;
              if (owner.users == 0) {
                close(owner);
              }
              return true;
            });
  }

  /** The end of the session: all POSIX locks go; whoever still waits was cancelled before. */
  synchronized void close() {
    for (Owner owner : owners.values()) {
      owner.released = true;
      if (owner.users == 0) {
        close(owner);
      }
    }
    owners.clear();
  }
}
