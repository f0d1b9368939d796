package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.export.Node.Alias;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.proto.Errno;
import java.util.ArrayDeque;

/**
 * Location descriptors (O_PATH) of directories, at most so many at once: descriptors are a budget,
 * not a table that grows with the guest's cache. Evicts by the clock algorithm; opens anew, from
 * the parent's, when needed again, and checks that it is still the same directory.
 *
 * <p>Also keeps the descriptors of removed files, which are not evicted. Thread-safe; one lock for
 * all sessions, never held over a system call but close(2) of a location.
 */
public final class DirectoryDescriptors {
  private final HostFs host;
  private final int limit;
  private final ArrayDeque<Node> clock = new ArrayDeque<>();
  private int orphans;

  /**
   * A cache.
   *
   * @param limit how many descriptors it may hold
   */
  public DirectoryDescriptors(HostFs host, int limit) {
    this.host = host;
    this.limit = limit;
  }

  /**
   * A descriptor of the directory, pinned until {@link #release}.
   *
   * @throws ErrnoException ESTALE if the directory is no longer where it was
   */
  int acquire(Node dir) throws ErrnoException {
    synchronized (this) {
      if (dir.fd >= 0) {
        dir.pins++;
        dir.recentlyUsed = true;
        return dir.fd;
      }
    }
    int fd = open(dir);
    synchronized (this) {
      if (dir.gone) {
        host.close(fd);
        throw ErrnoException.of(Errno.ESTALE);
      }
      if (dir.fd >= 0) {
        host.close(fd);
      } else {
        dir.fd = fd;
        clock.add(dir);
      }
      dir.pins++;
      dir.recentlyUsed = true;
      shrinkTo(limit);
      return dir.fd;
    }
  }

  void release(Node dir) {
    synchronized (this) {
      boolean unneeded = dir.gone || (!dir.orphan && !dir.isDirectory());
      if (dir.pins > 0 && --dir.pins == 0 && unneeded && dir.fd >= 0) {
        close(dir);
      }
    }
  }

  private int open(Node dir) throws ErrnoException {
    Alias alias = dir.alias;
    if (alias == null) {
      if (dir.fileId.equals(dir.export.rootId())) {
        return withRoom(dir.export::openRoot);
      }
      throw ErrnoException.of(Errno.ESTALE);
    }
    int parent = acquire(alias.parent());
    try {
      int fd = openLocation(parent, alias.name());
      try {
        HostStat stat = host.stat(fd, HostFs.SELF);
        if (!dir.export.identify(stat, fd, HostFs.SELF).equals(dir.fileId)) {
          throw ErrnoException.of(Errno.ESTALE);
        }
        return fd;
      } catch (ErrnoException e) {
        host.close(fd);
        throw e;
      }
    } catch (ErrnoException e) {
      // The directory was here; what went wrong now is that it is not, or is something else.
      boolean elsewhere =
          e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR || e.errno() == Errno.ELOOP;
      throw elsewhere ? ErrnoException.of(Errno.ESTALE) : e;
    } finally {
      release(alias.parent());
    }
  }

  /** Opens a location; when descriptors have run out, closes idle ones of ours and tries again. */
  int openLocation(int dir, byte[] name) throws ErrnoException {
    return withRoom(() -> host.openLocation(dir, name));
  }

  /** What opens a descriptor. */
  interface Opener {
    int open() throws ErrnoException;
  }

  /** Runs {@code opener}; on EMFILE or ENFILE once more, after closing the idle descriptors. */
  int withRoom(Opener opener) throws ErrnoException {
    try {
      return opener.open();
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EMFILE && e.errno() != Errno.ENFILE) {
        throw e;
      }
    }
    synchronized (this) {
      shrinkTo(clock.size() / 2);
    }
    return opener.open();
  }

  /**
   * Gives a node that loses its last name a descriptor to keep; takes ownership of {@code fd}, and
   * closes it if it is not needed.
   */
  synchronized void orphaned(Node node, int fd) {
    if (node.gone || node.fd >= 0) {
      host.close(fd);
    } else {
      node.fd = fd;
    }
    if (!node.gone && !node.orphan) {
      node.orphan = true;
      orphans++;
    }
  }

  /** A file without a name got one: it can be reached by it, and keeps its record. */
  synchronized void named(Node node) {
    if (node.orphan) {
      node.orphan = false;
      orphans--;
      if (node.pins == 0 && !node.isDirectory()) {
        close(node);
      }
    }
  }

  /** The descriptor of a removed file, pinned until {@link #release}; -1 if it has none. */
  synchronized int acquireOrphan(Node node) {
    if (node.orphan && node.fd >= 0) {
      node.pins++;
      return node.fd;
    }
    return -1;
  }

  /** The node was forgotten: its descriptor is closed, now or when the last pin goes. */
  synchronized void gone(Node node) {
    node.gone = true;
    if (node.orphan) {
      node.orphan = false;
      orphans--;
    }
    if (node.fd >= 0 && node.pins == 0) {
      close(node);
    }
  }

  private void shrinkTo(int size) {
    // Each turn of the clock either drops a node, clears its mark, or passes a pinned one.
    for (int turns = 2 * clock.size(); clock.size() > size && turns > 0; turns--) {
      Node node = clock.poll();
      if (node.fd < 0) {
        continue;
      }
      if (node.pins > 0 || node.orphan || node.recentlyUsed) {
        node.recentlyUsed = false;
        clock.add(node);
      } else {
        close(node);
      }
    }
  }

  private void close(Node node) {
    host.close(node.fd);
    node.fd = -1;
  }

  /** Open descriptors now, orphans included. */
  public synchronized int size() {
    return clock.size() + orphans;
  }
}
