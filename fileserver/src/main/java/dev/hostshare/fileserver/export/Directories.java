package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listing directories. Thread-safe; calls on one handle wait for each other. */
public final class Directories {
  /**
   * What an entry takes on the wire: about 30 bytes and the name, with attributes some 100 more.
   */
  private static final int ENTRY_BYTES = 32;

  private static final int PLUS_BYTES = 112;

  /** A directory's own attributes, before and after. */
  private static final int OPENED_BYTES = 2 * PLUS_BYTES;

  /** Entries in one reply at the most, whatever the size asked for. */
  public static final int MAX_ENTRIES = 8192;

  private static final int SEEK_SET = 0;

  /** Directories opened ahead with one request, at the most. */
  private static final int MAX_AHEAD = 64;

  private static final Logger log = LoggerFactory.getLogger(Directories.class);

  private final ExportSession session;
  private final HostFs host;
  private final Permissions permissions;

  Directories(ExportSession session) {
    this.session = session;
    this.host = session.host;
    this.permissions = new Permissions(session.xattrs());
  }

  /** Which entries of a listing come with attributes, and a lookup count. */
  public enum Detail {
    NAMES,
    ATTRIBUTES,
    /** Directories do, and what the host does not tell the type of. */
    DIRECTORIES;

    boolean wants(int type) {
      return switch (this) {
        case NAMES -> false;
        case ATTRIBUTES -> true;
        case DIRECTORIES -> type == Linux.S_IFDIR || type == 0;
      };
    }
  }

  /**
   * A name in a directory.
   *
   * @param type S_IFMT bits, 0 if not known
   * @param entry null unless attributes were asked for and the file is still there
   */
  public record Listed(byte[] name, long cookie, long inode, int type, Entry entry) {}

  /**
   * A part of a listing.
   *
   * @param end whether nothing follows
   */
  public record Listing(List<Listed> entries, boolean end) {
    /** About what it takes on the wire. */
    int bytes() {
      int bytes = 0;
      for (Listed listed : entries) {
        bytes += listed.name().length + ENTRY_BYTES + (listed.entry() == null ? 0 : PLUS_BYTES);
      }
      return bytes;
    }
  }

  /**
   * An open directory.
   *
   * @param handle 0 if {@code first} is all of it
   * @param attributes right before it was opened
   * @param first the first entries, or null
   * @param read the attributes after all was read, or null
   */
  public record Opened(long handle, Attributes attributes, Listing first, Attributes read) {}

  /**
   * Opens a directory.
   *
   * @param size how many bytes of its first entries come with it, if not 0: as {@link #read} has
   *     them
   */
  public Opened open(long node, int size, Detail detail, Caller caller) throws ErrnoException {
    Node n = session.nodes.get(node);
    if (!n.isDirectory()) {
      throw ErrnoException.of(Errno.ENOTDIR);
    }
    session.catchUp();
    try (Location at = session.locate(n)) {
      HostStat stat = host.stat(at.dir, at.name);
      Attributes attributes =
          n.export.compose(stat, n.fileId, caller).withWatched(n.watched != null);
      permissions.require(n.export, attributes, caller, Permissions.READ);
      int fd = session.inodes().openConfirmed(n, at, Linux.O_RDONLY | Linux.O_DIRECTORY);
      try {
        OpenDirectory dir = session.handles.addDirectory(n, fd);
        fd = -1;
        return size > 0
            ? opened(dir, at, attributes, size, detail, caller)
            : new Opened(dir.id, attributes, null, null);
      } finally {
        if (fd >= 0) {
          host.close(fd);
        }
      }
    }
  }

  /**
   * Opens directories that are expected to be opened next, and lists them.
   *
   * @param size of each listing, as {@link #read} has it
   * @param all of all listings
   * @return one each, in their order; null where the directory cannot be opened, or listed whole in
   *     {@code size}, or in what is left of {@code all}
   * @throws ErrnoException EINVAL if there are too many
   */
  public List<Opened> openAhead(List<Long> nodes, int size, int all, Detail detail, Caller caller)
      throws ErrnoException {
    if (nodes.size() > MAX_AHEAD) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    List<Opened> told = new ArrayList<>(nodes.size());
    int left = all;
    for (long node : nodes) {
      Opened opened = left > 0 ? openWhole(node, Math.min(size, left), detail, caller) : null;
      told.add(opened);
      left -= opened == null ? 0 : OPENED_BYTES + opened.first().bytes();
    }
    return told;
  }

  private Opened openWhole(long node, int size, Detail detail, Caller caller) {
    try {
      Opened opened = open(node, Math.max(size, 1), detail, caller);
      if (opened.handle() == 0) {
        return opened;
      }
      if (opened.first() != null) {
        forget(opened.first().entries());
      }
      session.handles.remove(opened.handle()).leave();
    } catch (ErrnoException e) {
      // Whoever opens it is told.
      log.trace("cannot be opened ahead: {}", e.getMessage());
    }
    return null;
  }

  private void forget(List<Listed> entries) {
    for (Listed listed : entries) {
      if (listed.entry() != null) {
        session.forget(listed.entry().node(), 1);
      }
    }
  }

  private Opened opened(
      OpenDirectory dir, Location at, Attributes attributes, int size, Detail detail, Caller caller)
      throws ErrnoException {
    Listing first = null;
    Attributes read = null;
    dir.enter();
    try {
      synchronized (dir) {
        first = collect(dir, size, detail, caller);
      }
      if (first.end()) {
        Node n = dir.node;
        read = n.export.compose(host.stat(at.dir, at.name), n.fileId, caller);
        read = read.withWatched(n.watched != null);
      }
    } catch (ErrnoException e) {
      // It is open all the same: who reads it is told.
      log.trace("cannot be listed: {}", e.getMessage());
    } finally {
      dir.leave();
    }
    if (read == null) {
      return new Opened(dir.id, attributes, first, null);
    }
    session.handles.remove(dir.id).leave();
    return new Opened(0, attributes, first, read);
  }

  /**
   * Entries that follow {@code cookie}, about {@code size} bytes of them, at least one unless at
   * the end.
   *
   * @param cookie of the last entry seen; 0 for the start
   */
  public Listing read(long handle, long cookie, int size, Detail detail, Caller caller)
      throws ErrnoException {
    OpenDirectory dir = session.handles.enterDirectory(handle);
    try {
      synchronized (dir) {
        seek(dir, cookie);
        return collect(dir, size, detail, caller);
      }
    } finally {
      dir.leave();
    }
  }

  /**
   * All of a directory, with attributes and a lookup count on each entry, and its own attributes,
   * right after it was read.
   *
   * @throws ErrnoException EOPNOTSUPP if the guest would not be told of changes, E2BIG if there are
   *     more than {@code max} entries
   */
  public Opened survey(long node, int max, Caller caller) throws ErrnoException {
    Node n = session.nodes.get(node);
    if (!n.isDirectory()) {
      throw ErrnoException.of(Errno.ENOTDIR);
    }
    List<Listed> entries = new ArrayList<>();
    try (Location at = session.locate(n)) {
      Attributes attributes = n.export.compose(host.stat(at.dir, at.name), n.fileId, caller);
      permissions.require(n.export, attributes, caller, Permissions.READ | Permissions.EXECUTE);
      for (HostFs.DirEntry e : namesOf(n, at, Math.min(max, MAX_ENTRIES))) {
        entries.add(listed(n, at, at.dir, e, true, caller));
      }
      Attributes read = n.export.compose(host.stat(at.dir, at.name), n.fileId, caller);
      return new Opened(
          0, attributes, new Listing(entries, true), read.withWatched(n.watched != null));
    } catch (ErrnoException e) {
      forget(entries);
      throw e;
    }
  }

  /** Whether nothing is in a directory, and the guest will be told when something is. */
  boolean isEmptyAndWatched(Node n) {
    try (Location at = session.locate(n)) {
      return namesOf(n, at, 0).isEmpty();
    } catch (ErrnoException e) {
      // Not empty, not watched, gone: the guest has to ask.
      log.trace("not known to be empty: {}", e.getMessage());
      return false;
    }
  }

  /** The names in a directory that is watched. */
  private List<HostFs.DirEntry> namesOf(Node n, Location at, int max) throws ErrnoException {
    if (!at.isWatched()) {
      throw ErrnoException.of(Errno.EOPNOTSUPP);
    }
    int fd = session.inodes().openConfirmed(n, at, Linux.O_RDONLY | Linux.O_DIRECTORY);
    try {
      List<HostFs.DirEntry> names = new ArrayList<>();
      boolean more = true;
      while (more) {
        more = host.readDirectory(fd, names::add);
        if (names.size() > max) {
          throw ErrnoException.of(Errno.E2BIG);
        }
      }
      return names;
    } finally {
      host.close(fd);
    }
  }

  private void seek(OpenDirectory dir, long cookie) throws ErrnoException {
    if (cookie != 0 && cookie == dir.position) {
      return;
    }
    host.seek(dir.fd, cookie, SEEK_SET);
    dir.pending.clear();
    dir.position = cookie;
    dir.atEnd = false;
  }

  private Listing collect(OpenDirectory dir, int size, Detail detail, Caller caller)
      throws ErrnoException {
    List<Listed> entries = new ArrayList<>();
    int bytes = 0;
    try (Location at = detail == Detail.NAMES ? null : session.locate(dir.node)) {
      while (entries.size() < MAX_ENTRIES) {
        if (dir.pending.isEmpty()) {
          // Not asked again at the end: what was added meanwhile may be listed or not (readdir(3)).
          if (dir.atEnd) {
            break;
          }
          dir.atEnd = !host.readDirectory(dir.fd, dir.pending::add);
          continue;
        }
        HostFs.DirEntry next = dir.pending.peek();
        boolean plus = detail.wants(next.type());
        int cost = next.name().length + ENTRY_BYTES + (plus ? PLUS_BYTES : 0);
        if (!entries.isEmpty() && bytes + cost > size) {
          break;
        }
        entries.add(listed(dir.node, at, dir.fd, next, plus, caller));
        bytes += cost;
        dir.pending.remove();
        dir.position = next.cookie();
      }
    } catch (ErrnoException e) {
      if (entries.isEmpty()) {
        throw e;
      }
      // What was collected has lookup counts: it is sent, and the error comes with the next call.
    }
    return new Listing(entries, dir.atEnd && dir.pending.isEmpty());
  }

  /**
   * An entry, with attributes if {@code plus}.
   *
   * @param at the directory; needed with {@code plus}
   * @param fd of the directory, needed without
   */
  private Listed listed(
      Node node, Location at, int fd, HostFs.DirEntry e, boolean plus, Caller caller)
      throws ErrnoException {
    Entry entry = null;
    int type = e.type();
    if (plus || session.overlay.maybeSpecial(node.fileId.volume(), e.inode())) {
      try {
        if (plus) {
          HostStat stat = host.stat(at.dir, e.name());
          entry = session.names().enter(node, at, e.name(), stat, caller);
          type = entry.attributes().type();
        } else {
          HostStat stat = host.stat(fd, e.name());
          type = node.export.compose(stat, node.export.identify(stat, fd, e.name()), caller).type();
        }
      } catch (ErrnoException gone) {
        // Gone meanwhile, hidden, or one too many for the guest: the name alone is listed.
        if (gone.errno() != Errno.ENOENT
            && gone.errno() != Errno.ENFILE
            && gone.errno() != Errno.ESTALE
            && gone.errno() != Errno.EACCES) {
          throw gone;
        }
      }
    }
    long inode = entry == null ? e.inode() : entry.attributes().inode();
    return new Listed(e.name(), e.cookie(), inode, type, entry);
  }
}
