package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.overlay.RecordChange;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.util.ArrayList;
import java.util.List;

/** Operations on names: look up, make, remove, rename, link. Thread-safe. */
public final class Names {
  private static final int MAX_WALK = 64;

  /** Given back in the time that it takes to wake a thread for it: 20 to 30 µs. */
  private static final long SMALL_BYTES = 256 << 10;

  /** What is larger may take long to give back. */
  private static final long LARGE_BYTES = 64 << 20;

  private final ExportSession session;
  private final HostFs host;
  private final DirectoryDescriptors descriptors;
  private final Permissions permissions;

  Names(ExportSession session) {
    this.session = session;
    this.host = session.host;
    this.descriptors = session.descriptors;
    this.permissions = new Permissions(session.xattrs());
  }

  /**
   * How far a walk came.
   *
   * @param errno why it stopped, or 0
   * @param missingWatched whether the guest will be told when the name comes that was missing
   */
  public record Walked(List<Entry> entries, int errno, boolean missingWatched) {}

  /** Looks up names one below the other, never through a symlink. */
  public Walked walk(long node, List<byte[]> names, Caller caller) throws ErrnoException {
    if (names.isEmpty() || names.size() > MAX_WALK) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    List<Entry> entries = new ArrayList<>(names.size());
    Node at = session.nodes.get(node);
    try {
      for (byte[] name : names) {
        Entry entry = lookup(at, name, caller);
        entries.add(entry);
        at = session.nodes.get(entry.node());
      }
    } catch (ErrnoException e) {
      return new Walked(entries, e.errno(), e.errno() == Errno.ENOENT && at.watched != null);
    }
    return new Walked(entries, 0, false);
  }

  private Entry lookup(Node parent, byte[] name, Caller caller) throws ErrnoException {
    ExportSession.requireName(name);
    requireDirectory(parent);
    try (Location dir = session.locate(parent)) {
      if (parent.export.checksCaller()) {
        permissions.require(
            parent.export, attributes(parent, dir, caller), caller, Permissions.EXECUTE);
      }
      HostStat stat;
      try {
        stat = host.stat(dir.dir, name);
      } catch (ErrnoException e) {
        if (e.errno() == Errno.ENOENT) {
          session.overlay.nameGone(parent.fileId, name);
        }
        throw e;
      }
      return enter(parent, dir, name, stat, caller);
    }
  }

  private Attributes attributes(Node dir, Location at, Caller caller) throws ErrnoException {
    return dir.export.compose(host.stat(at.dir, HostFs.SELF), dir.fileId, caller);
  }

  /** Tells the guest of what was just seen under a name. */
  Entry enter(Node parent, Location dir, byte[] name, HostStat stat, Caller caller)
      throws ErrnoException {
    FileId id = parent.export.identify(stat, dir.dir, name);
    Attributes attributes = session.seen(parent.export.at(id), stat, id, parent, name, caller);
    Node node = session.nodes.enter(parent.export, id, stat.type(), parent, name);
    return entry(node, attributes, parent);
  }

  /** What the guest is told of a node that was just seen in {@code parent}. */
  static Entry entry(Node node, Attributes attributes, Node parent) {
    boolean nameWatched = parent.watched != null;
    return new Entry(
        node.id, attributes.withWatched(isWatched(node, attributes, nameWatched)), nameWatched);
  }

  /**
   * Whether all changes of a node's attributes are seen. A directory's are where it is watched
   * itself; another file's where its only name is.
   */
  static boolean isWatched(Node node, Attributes attributes, boolean nameWatched) {
    return node.isDirectory()
        ? node.watched != null
        : nameWatched && attributes.stat().nlink() == 1;
  }

  private static void requireDirectory(Node node) throws ErrnoException {
    if (!node.isDirectory()) {
      throw ErrnoException.of(Errno.ENOTDIR);
    }
  }

  /** A parent directory, writable and its attributes known. */
  private interface InParent<T> {
    T apply(Location dir, Attributes attributes) throws ErrnoException;
  }

  private <T> T inParent(Node parent, byte[] name, Caller caller, InParent<T> op)
      throws ErrnoException {
    ExportSession.requireName(name);
    requireDirectory(parent);
    parent.export.requireWritable();
    try (Location dir = session.locate(parent)) {
      return op.apply(dir, attributes(parent, dir, caller));
    }
  }

  private <T> T inserting(Node parent, byte[] name, Caller caller, InParent<T> op)
      throws ErrnoException {
    return inParent(
        parent,
        name,
        caller,
        (dir, attributes) -> {
          permissions.requireInsert(parent.export, attributes, caller);
          return op.apply(dir, attributes);
        });
  }

  public Entry symlink(long parent, byte[] name, byte[] target, Caller caller)
      throws ErrnoException {
    Node p = session.nodes.get(parent);
    if (target.length == 0) {
      throw ErrnoException.of(Errno.ENOENT);
    }
    for (byte b : target) {
      if (b == 0) {
        throw ErrnoException.of(Errno.EINVAL);
      }
    }
    return inserting(
        p,
        name,
        caller,
        (dir, parentAttributes) -> {
          Creation creation =
              new Creation(session, p.export, parentAttributes, Linux.S_IFLNK | 0777, 0, 0, caller);
          host.symlink(target, dir.dir, name);
          return created(p, dir, name, creation, caller, () -> host.unlink(dir.dir, name));
        });
  }

  /**
   * mknod(2) of any type; special files become empty placeholders on the host.
   *
   * @param rdev packed as makedev(3)
   */
  public Entry mknod(long parent, byte[] name, int mode, long rdev, int umask, Caller caller)
      throws ErrnoException {
    Node p = session.nodes.get(parent);
    int type = mode & Linux.S_IFMT;
    switch (type) {
      case 0, Linux.S_IFREG, Linux.S_IFCHR, Linux.S_IFBLK, Linux.S_IFIFO, Linux.S_IFSOCK -> {}
      case Linux.S_IFDIR, Linux.S_IFLNK -> throw ErrnoException.of(Errno.EPERM);
      default -> throw ErrnoException.of(Errno.EINVAL);
    }
    return inserting(
        p,
        name,
        caller,
        (dir, parentAttributes) -> {
          Creation creation =
              new Creation(session, p.export, parentAttributes, mode, umask, rdev, caller);
          int flags = Linux.O_CREAT | Linux.O_EXCL | Linux.O_WRONLY;
          int fd = descriptors.withRoom(() -> host.open(dir.dir, name, flags, creation.hostMode()));
          host.close(fd);
          return created(p, dir, name, creation, caller, () -> host.unlink(dir.dir, name));
        });
  }

  public Entry mkdir(long parent, byte[] name, int mode, int umask, Caller caller)
      throws ErrnoException {
    Node p = session.nodes.get(parent);
    return inserting(
        p,
        name,
        caller,
        (dir, parentAttributes) -> {
          int full = Linux.S_IFDIR | (mode & (0777 | Linux.S_ISVTX));
          Creation creation =
              new Creation(session, p.export, parentAttributes, full, umask, 0, caller);
          host.mkdir(dir.dir, name, creation.hostMode());
          Entry made = created(p, dir, name, creation, caller, () -> host.rmdir(dir.dir, name));
          boolean empty = session.directories().isEmptyAndWatched(session.nodes.get(made.node()));
          return new Entry(made.node(), made.attributes(), made.nameWatched(), empty);
        });
  }

  /** Takes back what was made when its record cannot be written. */
  interface Undo {
    void run() throws ErrnoException;
  }

  private Entry created(
      Node parent, Location dir, byte[] name, Creation creation, Caller caller, Undo undo)
      throws ErrnoException {
    try {
      HostStat stat = host.stat(dir.dir, name);
      FileId id = parent.export.identify(stat, dir.dir, name);
      Attributes attributes = recordNew(parent, name, stat, id, creation, caller);
      Node node = session.nodes.enter(parent.export, id, stat.type(), parent, name);
      session.changedName(parent, name);
      return entry(node, attributes, parent);
    } catch (ErrnoException e) {
      undo(e, undo);
      throw e;
    }
  }

  static void undo(ErrnoException why, Undo undo) throws ErrnoException {
    try {
      undo.run();
    } catch (ErrnoException e) {
      // Gone meanwhile is as good as undone; anything else the caller should know first.
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
  }

  Attributes recordNew(
      Node parent, byte[] name, HostStat stat, FileId id, Creation creation, Caller caller)
      throws ErrnoException {
    session.overlay.nameGone(parent.fileId, name);
    RecordChange change = creation.record(stat, parent.export.compose(stat, id, null, caller));
    if (change.isEmpty()) {
      return parent.export.compose(stat, id, null, caller);
    }
    return parent.export.compose(
        stat, id, session.overlay.change(id, session.place(parent, name), change), caller);
  }

  public void unlink(long parent, byte[] name, Caller caller) throws ErrnoException {
    Node p = session.nodes.get(parent);
    inParent(
        p,
        name,
        caller,
        (dir, attributes) ->
            remove(p, dir, attributes, name, caller, () -> host.unlink(dir.dir, name)));
  }

  public void rmdir(long parent, byte[] name, Caller caller) throws ErrnoException {
    Node p = session.nodes.get(parent);
    inParent(
        p,
        name,
        caller,
        (dir, attributes) ->
            remove(p, dir, attributes, name, caller, () -> host.rmdir(dir.dir, name)));
  }

  private Void remove(
      Node parent, Location dir, Attributes dirAttributes, byte[] name, Caller caller, Undo call)
      throws ErrnoException {
    try (Victim victim = new Victim(parent, dir, name)) {
      permissions.requireRemove(parent.export, dirAttributes, victim.attributes(caller), caller);
      call.run();
      victim.removed();
      return null;
    }
  }

  /**
   * A file that is about to lose a name. A descriptor keeps hold of it, so that what happens to its
   * record and its node can be decided when the name is gone.
   */
  private final class Victim implements AutoCloseable {
    private final Node parent;
    private final byte[] name;
    private final HostStat stat;
    private final FileId id;
    private int fd;

    /** The descriptor is the last that keeps the file. */
    private boolean isGone;

    Victim(Node parent, Location dir, byte[] name) throws ErrnoException {
      this.parent = parent;
      this.name = name;
      fd = descriptors.openLocation(dir.dir, name);
      try {
        stat = host.stat(fd, HostFs.SELF);
        id = parent.export.identify(stat, fd, HostFs.SELF);
        parent.export.requireMovable(id);
      } catch (ErrnoException e) {
        host.close(fd);
        throw e;
      }
    }

    Attributes attributes(Caller caller) throws ErrnoException {
      return parent.export.compose(stat, id, caller);
    }

    void removed() throws ErrnoException {
      session.changedName(parent, name);
      session.changed(id);
      Node node = session.nodes.find(parent.export, id);
      boolean last = stat.isDirectory() || host.stat(fd, HostFs.SELF).nlink() == 0;
      if (last && !stat.isDirectory() && (node == null || !session.handles.isOpen(node))) {
        session.overlay.remove(id);
      } else {
        session.overlay.nameGone(parent.fileId, name);
      }
      if (node != null) {
        if (last) {
          // Before its name goes: whoever finds no name has to find the descriptor.
          descriptors.orphaned(node, fd);
          fd = -1;
          if (!stat.isDirectory() && stat.size() <= SMALL_BYTES) {
            session.handles.removed(node);
          }
        }
        session.nodes.removeAlias(node, parent, name);
      } else if (last) {
        isGone = true;
        session.overlay.remove(id);
      }
    }

    @Override
    public void close() {
      if (isGone && stat.size() > LARGE_BYTES) {
        // Giving its blocks back may take seconds, and the event loop may be who does this.
        Thread.ofPlatform().name("close").daemon().start(() -> host.close(fd));
      } else if (fd >= 0) {
        host.close(fd);
      }
    }
  }

  /**
   * rename(2).
   *
   * @param flags RENAME_NOREPLACE or RENAME_EXCHANGE
   */
  public void rename(
      long parent, byte[] name, long newParent, byte[] newName, int flags, Caller caller)
      throws ErrnoException {
    Node from = session.nodes.get(parent);
    Node to = session.nodes.get(newParent);
    if ((flags & ~(Linux.RENAME_NOREPLACE | Linux.RENAME_EXCHANGE)) != 0) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    if (from.export != to.export) {
      throw ErrnoException.of(Errno.EXDEV);
    }
    ExportSession.requireName(newName);
    inParent(
        from,
        name,
        caller,
        (dir, fromAttributes) ->
            inParent(
                to,
                newName,
                caller,
                (newDir, toAttributes) -> {
                  try (Victim source = new Victim(from, dir, name);
                      OptionalVictim target = new OptionalVictim(to, newDir, newName)) {
                    requireMayRename(
                        from, fromAttributes, toAttributes, source, target.victim, caller);
                    host.rename(dir.dir, name, newDir.dir, newName, flags);
                    renamed(from, name, to, newName, flags, source, target.victim);
                    return null;
                  }
                }));
  }

  /** The file that a rename may replace. */
  private final class OptionalVictim implements AutoCloseable {
    final Victim victim;

    OptionalVictim(Node parent, Location dir, byte[] name) throws ErrnoException {
      Victim found = null;
      try {
        found = new Victim(parent, dir, name);
      } catch (ErrnoException e) {
        if (e.errno() != Errno.ENOENT) {
          throw e;
        }
      }
      victim = found;
    }

    @Override
    public void close() {
      if (victim != null) {
        victim.close();
      }
    }
  }

  private void requireMayRename(
      Node from, Attributes fromDir, Attributes toDir, Victim source, Victim target, Caller caller)
      throws ErrnoException {
    if (!from.export.checksCaller()) {
      return;
    }
    Attributes moved = source.attributes(caller);
    permissions.requireRemove(from.export, fromDir, moved, caller);
    if (target == null) {
      permissions.requireInsert(from.export, toDir, caller);
    } else {
      permissions.requireRemove(from.export, toDir, target.attributes(caller), caller);
    }
    if (moved.isDirectory() && !fromDir.id().equals(toDir.id())) {
      permissions.require(from.export, moved, caller, Permissions.WRITE); // its ".." changes
    }
  }

  private void renamed(
      Node from, byte[] name, Node to, byte[] newName, int flags, Victim source, Victim target)
      throws ErrnoException {
    boolean exchange = (flags & Linux.RENAME_EXCHANGE) != 0;
    boolean sameFile = target != null && target.id.equals(source.id);
    if (sameFile) {
      return; // two names of one file: rename(2) does nothing
    }
    if (target != null && !exchange) {
      target.removed();
    }
    moved(source, from, name, to, newName);
    if (exchange && target != null) {
      moved(target, to, newName, from, name);
    }
  }

  private void moved(Victim file, Node from, byte[] name, Node to, byte[] newName)
      throws ErrnoException {
    Node node = session.nodes.find(from.export, file.id);
    if (node != null) {
      session.nodes.moved(node, from, name, to, newName);
    }
    session.overlay.moved(file.id, session.place(to, newName));
    session.changedName(from, name);
    session.changedName(to, newName);
    session.changed(file.id);
  }

  /** link(2); also gives an O_TMPFILE file its first name. */
  public Entry link(long node, long newParent, byte[] newName, Caller caller)
      throws ErrnoException {
    Node n = session.nodes.get(node);
    Node to = session.nodes.get(newParent);
    if (n.export != to.export) {
      throw ErrnoException.of(Errno.EXDEV);
    }
    if (n.isDirectory()) {
      throw ErrnoException.of(Errno.EPERM);
    }
    return inserting(
        to,
        newName,
        caller,
        (dir, attributes) -> {
          session.reach(
              n,
              (at, stat) -> {
                if (at.isSelf()) {
                  host.linkDescriptor(at.dir, dir.dir, newName);
                } else {
                  host.link(at.dir, at.name, dir.dir, newName);
                }
                return null;
              });
          session.overlay.nameGone(to.fileId, newName);
          HostStat stat = host.stat(dir.dir, newName);
          if (!to.export.identify(stat, dir.dir, newName).equals(n.fileId)) {
            throw ErrnoException.of(Errno.ESTALE);
          }
          descriptors.named(n);
          session.nodes.enter(to.export, n.fileId, stat.type(), to, newName);
          session.changedName(to, newName);
          session.changed(n);
          return entry(n, to.export.compose(stat, n.fileId, caller), to);
        });
  }
}
