package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.BlockingCall;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostWatch;
import dev.hostshare.proto.Errno;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the guests' caches true: watches the directories that sessions told their guests about, and
 * tells each session what others changed, on the host or through another session. One for the whole
 * server.
 *
 * <p>A directory is watched before its content is looked at, so that no change falls between. Where
 * it cannot be watched, {@link #watch} says so and the guest has to ask again soon.
 *
 * <p>Thread-safe. Lock order: the host's queue ({@link HostWatch#drain}), then this; no system call
 * on a directory but those that begin and end a watch is made with this lock held.
 */
public final class Watches implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Watches.class);

  /**
   * While changes keep coming they are read so often, and not one by one: each read that wakes this
   * thread costs the two cores of a small machine 10 to 50 µs.
   */
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** When no more directories may be watched, the next try comes after this. */
  private static final long REFUSED_NANOS = TimeUnit.SECONDS.toNanos(10);

  private record Watcher(ExportSession session, Node directory) {}

  private final HostWatch host;
  private final int limit;
  private final List<ExportSession> sessions = new CopyOnWriteArrayList<>();
  private final Thread thread;

  // ---- guarded by this ----
  private final Map<String, List<Watcher>> byKey = new HashMap<>();
  private long refusedUntil = System.nanoTime();
  private boolean refused;

  /** The wait of the thread, each time another; null before the first and when all is to end. */
  private BlockingCall turn;

  private boolean closing;

  /**
   * Begins to listen.
   *
   * @param host what tells of the host's changes; null where there is nothing: no directory is then
   *     watched
   * @param limit how many directories may be watched at once, since each pins an inode of the
   *     host's kernel (about 1 KiB)
   */
  public Watches(HostWatch host, int limit) {
    this.host = host;
    this.limit = limit;
    thread = Thread.ofPlatform().name("watch").daemon().unstarted(this::listen);
    if (host != null) {
      thread.start();
    }
  }

  private void listen() {
    try {
      for (BlockingCall next = nextTurn(); next != null; next = nextTurn()) {
        host.await(next);
        catchUp();
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EINTR) {
        log.error("changes on the host are not seen any more: {}", e.getMessage());
        stop();
      }
    }
  }

  private synchronized BlockingCall nextTurn() {
    turn = closing ? null : new BlockingCall();
    return turn;
  }

  /** Nothing is watched any more, and everything the guests keep may be old. */
  private void stop() {
    synchronized (this) {
      byKey.values().forEach(watchers -> watchers.forEach(w -> w.directory.watched = null));
      byKey.clear();
      refused = true;
      refusedUntil = Long.MAX_VALUE / 2;
    }
    sessions.forEach(s -> s.invalidations().everything());
  }

  /**
   * Tells the sessions of every change that was made before this call. For an open(2): what the
   * opener must see is dropped from its caches before it has its reply.
   */
  void catchUp() throws ErrnoException {
    if (host == null) {
      return;
    }
    host.drain(this::tell);
  }

  private void tell(HostWatch.Change change) {
    if (change.own()) {
      return; // the session that made it told the others
    }
    try {
      if (change.directory() == null) {
        log.warn("too many changes on the host at once: the guests drop all they have cached");
        sessions.forEach(s -> s.invalidations().everything());
        return;
      }
      boolean names = (change.kinds() & HostWatch.NAME) != 0;
      for (Watcher w : watchers(change.directory())) {
        w.session.changedOnHost(w.directory, change.name(), names);
      }
    } catch (RuntimeException e) {
      log.error("a change on the host could not be told", e);
      sessions.forEach(s -> s.invalidations().everything());
    }
  }

  private synchronized List<Watcher> watchers(String key) {
    return List.copyOf(byKey.getOrDefault(key, List.of()));
  }

  /** Those that have begun and not ended. */
  List<ExportSession> sessions() {
    return sessions;
  }

  void begins(ExportSession session) {
    sessions.add(session);
  }

  /** A session ends. Its watches end with its nodes; with the last session, all at once. */
  void ends(ExportSession session) {
    synchronized (this) {
      sessions.remove(session);
      if (!sessions.isEmpty() || byKey.isEmpty()) {
        return;
      }
      byKey.values().forEach(watchers -> watchers.forEach(w -> w.directory.watched = null));
      byKey.clear();
      try {
        host.unwatchAll();
      } catch (ErrnoException e) {
        log.warn("watches could not be ended: {}", e.getMessage());
      }
    }
  }

  /**
   * Watches a directory for a session.
   *
   * @param fd a descriptor of it
   * @return whether it is watched now
   */
  boolean watch(ExportSession session, Node directory, int fd) {
    if (directory.watched != null) {
      return true;
    }
    if (host == null || directory.unwatchable) {
      return false;
    }
    synchronized (this) {
      if (directory.watched != null) {
        return true;
      }
      if (!sessions.contains(session)) {
        return false; // it ends
      }
      if (refused && System.nanoTime() - refusedUntil < 0) {
        return false;
      }
      try {
        if (byKey.size() >= limit) {
          throw ErrnoException.of(Errno.ENOSPC);
        }
        String key = host.watch(fd);
        byKey.computeIfAbsent(key, k -> new ArrayList<>(1)).add(new Watcher(session, directory));
        directory.watched = key;
        refused = false;
        if (directory.collected) {
          // The guest forgot it meanwhile: whoever ends its watch may have been here before.
          unwatch(session, directory, fd);
          return false;
        }
        return true;
      } catch (ErrnoException e) {
        refused(directory, e);
        return false;
      }
    }
  }

  private void refused(Node directory, ErrnoException why) {
    switch (why.errno()) {
      case Errno.ENOSPC, Errno.ENOMEM, Errno.EMFILE, Errno.ENFILE -> {
        if (!refused) {
          log.warn(
              "{} directories are watched, no more may be ({}): guests keep what lies in others for"
                  + " a second only; the limits are --max-watches and sysctl"
                  + " fs.fanotify.max_user_marks",
              byKey.size(),
              why.getMessage());
        }
        refused = true;
        refusedUntil = System.nanoTime() + REFUSED_NANOS;
      }
      default -> {
        log.debug("a directory cannot be watched: {}", why.getMessage());
        directory.unwatchable = true;
      }
    }
  }

  /**
   * The guest forgot a directory.
   *
   * @param fd a descriptor of it, or -1 if it cannot be reached: then the watch goes with the
   *     directory, and what it tells until then is for nobody
   */
  synchronized void unwatch(ExportSession session, Node directory, int fd) {
    String key = directory.watched;
    directory.watched = null;
    List<Watcher> watchers = key == null ? null : byKey.get(key);
    if (watchers == null) {
      return;
    }
    watchers.removeIf(w -> w.directory == directory);
    if (!watchers.isEmpty()) {
      return;
    }
    byKey.remove(key);
    if (fd >= 0) {
      try {
        host.unwatch(fd);
      } catch (ErrnoException e) {
        // ENOENT: it went with the directory.
        if (e.errno() != Errno.ENOENT) {
          log.warn("a watch could not be ended: {}", e.getMessage());
        }
      }
    }
  }

  /** A session changed a file: the others are told. */
  void changed(ExportSession by, FileId file) {
    for (ExportSession other : sessions) {
      if (other != by) {
        other.changedElsewhere(file, null);
      }
    }
  }

  /** A session changed what a name means: the others are told. */
  void changedName(ExportSession by, FileId directory, byte[] name) {
    for (ExportSession other : sessions) {
      if (other != by) {
        other.changedElsewhere(directory, name);
      }
    }
  }

  /** A file's record was changed by no session: all are told. */
  public void changedRecord(FileId file) {
    sessions.forEach(s -> s.changedRecord(file));
  }

  /** Whether anything can be watched here. */
  public boolean isOpen() {
    return host != null;
  }

  /** Directories that are watched now. */
  public synchronized int size() {
    return byKey.size();
  }

  @Override
  public void close() {
    if (host == null) {
      return;
    }
    BlockingCall waiting;
    synchronized (this) {
      closing = true;
      waiting = turn;
    }
    try {
      if (waiting != null) {
        waiting.cancel();
      }
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    host.close();
  }
}
