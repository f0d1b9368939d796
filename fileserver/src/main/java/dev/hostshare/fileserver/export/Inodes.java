package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.overlay.OverlayRecord;
import dev.hostshare.fileserver.overlay.RecordChange;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;

/** Operations on a node itself: attributes, symlink target, access, space. Thread-safe. */
public final class Inodes {
  private final ExportSession session;
  private final HostFs host;
  private final Permissions permissions;

  Inodes(ExportSession session) {
    this.session = session;
    this.host = session.host;
    this.permissions = new Permissions(session.xattrs());
  }

  /**
   * Attributes.
   *
   * @param handle an open handle of the node through which to look, or 0
   */
  public Attributes get(long node, long handle, Caller caller) throws ErrnoException {
    Node n = session.nodes.get(node);
    return handle == 0 ? attributes(n, caller) : attributesByHandle(n, handle, caller);
  }

  private Attributes attributesByHandle(Node n, long handle, Caller caller) throws ErrnoException {
    Handle open = session.handles.enter(handle);
    try {
      requireHandleOf(open, n);
      return n.export.compose(host.stat(open.fd, HostFs.SELF), n.fileId, caller);
    } finally {
      open.leave();
    }
  }

  Attributes attributes(Node n, Caller caller) throws ErrnoException {
    return session.reach(n, (at, stat) -> told(n, at, stat, caller));
  }

  private static Attributes told(Node n, Location at, HostStat stat, Caller caller)
      throws ErrnoException {
    Attributes attributes = n.export.compose(stat, n.fileId, caller);
    return attributes.withWatched(Names.isWatched(n, attributes, at.isWatched()));
  }

  private static void requireHandleOf(Handle handle, Node node) throws ErrnoException {
    if (handle.node != node) {
      throw ErrnoException.of(Errno.EBADF);
    }
  }

  /**
   * Applies a change as a whole: nothing is changed if the caller may not, or the store is full.
   */
  public Attributes set(long node, long handle, AttributeChange change, Caller caller)
      throws ErrnoException {
    Node n = session.nodes.get(node);
    n.export.requireWritable();
    if (change.size() != null && change.size() < 0) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    if (handle == 0) {
      return session.reach(n, (at, stat) -> apply(n, at, null, stat, change, caller));
    }
    Handle open = session.handles.enter(handle);
    try {
      requireHandleOf(open, n);
      Location at = new Location(open.fd, HostFs.SELF, session.descriptors, null);
      OpenFile file = open instanceof OpenFile f && f.isWritable() ? f : null;
      return apply(n, at, file, host.stat(open.fd, HostFs.SELF), change, caller);
    } finally {
      open.leave();
    }
  }

  /** {@code writable}: an open file through which to truncate, or null to open one. */
  private Attributes apply(
      Node n, Location at, OpenFile writable, HostStat stat, AttributeChange change, Caller caller)
      throws ErrnoException {
    Attributes before = n.export.compose(stat, n.fileId, caller);
    requireMay(n, before, writable != null, change, caller);
    if (change.size() != null) {
      truncate(n, at, writable, change.size());
    }
    RecordChange record = recordChange(before, change);
    if (!record.isEmpty()) {
      session.overlay.change(n.fileId, session.place(n), record);
    }
    if (change.changesTimes()) {
      host.setTimes(at.dir, at.name, orOmit(change.atime()), orOmit(change.mtime()));
    } else if (!record.isEmpty() && change.size() == null) {
      touchChangeTime(at, stat);
    }
    session.changed(n);
    return told(n, at, host.stat(at.dir, at.name), caller);
  }

  private void requireMay(
      Node n, Attributes file, boolean openForWriting, AttributeChange change, Caller caller)
      throws ErrnoException {
    if (change.mode() != null && file.type() == Linux.S_IFLNK) {
      throw ErrnoException.of(Errno.EOPNOTSUPP);
    }
    if (change.mode() != null) {
      permissions.requireOwner(n.export, file, caller);
    }
    if (change.changesOwner()) {
      permissions.requireChown(n.export, file, change.uid(), change.gid(), caller);
    }
    if (change.size() != null && !openForWriting) {
      if (file.isDirectory()) {
        throw ErrnoException.of(Errno.EISDIR);
      }
      if (file.type() != Linux.S_IFREG) {
        throw ErrnoException.of(Errno.EINVAL);
      }
      permissions.require(n.export, file, caller, Permissions.WRITE);
    }
    if (change.changesTimes() && n.export.checksCaller() && caller.uid() != file.uid()) {
      boolean bothNow = HostFs.NOW.equals(change.atime()) && HostFs.NOW.equals(change.mtime());
      if (bothNow) {
        permissions.require(n.export, file, caller, Permissions.WRITE);
      } else if (change.size() == null) {
        permissions.requireOwner(n.export, file, caller);
      }
    }
  }

  private void truncate(Node n, Location at, OpenFile writable, long size) throws ErrnoException {
    if (writable != null) {
      host.truncate(writable.fd, size);
      return;
    }
    int fd = openConfirmed(n, at, Linux.O_WRONLY);
    try {
      host.truncate(fd, size);
    } finally {
      host.close(fd);
    }
  }

  /** Opens what is at the location; ESTALE unless it is the node. */
  int openConfirmed(Node n, Location at, int flags) throws ErrnoException {
    if (at.isSelf() && !n.isDirectory()) {
      return session.descriptors.withRoom(() -> host.reopen(at.dir, flags));
    }
    int fd = session.descriptors.withRoom(() -> host.open(at.dir, at.name, flags, 0));
    try {
      HostStat stat = host.stat(fd, HostFs.SELF);
      if (!n.export.identify(stat, fd, HostFs.SELF).equals(n.fileId)) {
        throw ErrnoException.of(Errno.ESTALE);
      }
      return fd;
    } catch (ErrnoException e) {
      host.close(fd);
      throw e;
    }
  }

  private RecordChange recordChange(Attributes before, AttributeChange change)
      throws ErrnoException {
    RecordChange record = new RecordChange();
    if (change.uid() != null) {
      record.uid(change.uid());
    }
    if (change.gid() != null) {
      record.gid(change.gid());
    }
    int mode = change.mode() == null ? before.permissions() : change.mode() & Linux.PERMISSIONS;
    if (change.mode() != null) {
      record.mode(mode);
      PosixAcl acl = session.xattrs().acl(before.id(), PosixAcl.ACCESS);
      if (acl != null) {
        record.setXattr(PosixAcl.ACCESS, acl.withMode(mode).toBytes(), 0);
      }
    }
    if (change.killSuidgid() && !before.isDirectory()) {
      int killed = withoutSuidgid(mode);
      if (killed != mode) {
        record.mode(killed);
      }
      if (session.overlay.xattr(before.id(), Xattrs.CAPABILITY) != null) {
        record.dropXattr(Xattrs.CAPABILITY);
      }
    }
    return record;
  }

  /** setgid without group execute does not mean setgid and stays (setattr_should_drop_suidgid). */
  private static int withoutSuidgid(int mode) {
    int result = mode & ~Linux.S_ISUID;
    return (mode & 0010) != 0 ? result & ~Linux.S_ISGID : result;
  }

  /** What an unprivileged write does to setuid, setgid and security.capability. */
  void killSuidgid(OpenFile file) throws ErrnoException {
    OverlayRecord record = session.overlay.get(file.node.fileId);
    int mode =
        record != null && record.hasMode()
            ? record.mode()
            : host.stat(file.fd, HostFs.SELF).mode() & Linux.PERMISSIONS;
    RecordChange change = new RecordChange();
    if (withoutSuidgid(mode) != mode) {
      change.mode(withoutSuidgid(mode));
    }
    if (session.overlay.xattr(file.node.fileId, Xattrs.CAPABILITY) != null) {
      change.dropXattr(Xattrs.CAPABILITY);
    }
    if (!change.isEmpty()) {
      session.overlay.change(file.node.fileId, session.place(file.node), change);
      session.changed(file.node);
    }
  }

  private static HostStat.Time orOmit(HostStat.Time time) {
    return time == null ? HostFs.OMIT : time;
  }

  /**
   * A change that went to the overlay alone has to move the file's change time: setting the access
   * time to what it is does that.
   */
  void touchChangeTime(Location at, HostStat stat) throws ErrnoException {
    try {
      host.setTimes(at.dir, at.name, stat.atime(), HostFs.OMIT);
    } catch (ErrnoException e) {
      // Only the owner may set times, and the server's user may share what is not his. The change
      // itself is made; docs/semantics.md says that such a file's ctime stays.
      if (e.errno() != Errno.EPERM && e.errno() != Errno.EACCES && e.errno() != Errno.EROFS) {
        throw e;
      }
    }
  }

  /** A symlink's target; EINVAL for anything else. */
  public byte[] readlink(long node) throws ErrnoException {
    Node n = session.nodes.get(node);
    return session.reach(n, (at, stat) -> host.readlink(at.dir, at.name));
  }

  /** access(2): checks the caller against the composed attributes. */
  public void access(long node, int mask, Caller caller) throws ErrnoException {
    Node n = session.nodes.get(node);
    Attributes file = attributes(n, caller);
    if ((mask & Linux.W_OK) != 0 && file.type() != Linux.S_IFCHR) {
      n.export.requireWritable();
    }
    if (mask != 0) {
      permissions.check(file, caller, mask);
    }
  }

  public HostFs.StatVfs statfs(long node) throws ErrnoException {
    Node n = session.nodes.get(node);
    try (Location at = session.locate(n)) {
      return host.statfs(at.dir);
    }
  }

  /**
   * All that was written on the node's file system is on the disk, the overlay's records included.
   */
  public void syncfs(long node) throws ErrnoException {
    Node n = session.nodes.get(node);
    session.overlay.sync();
    Node.Alias alias = n.alias;
    Node dir = n.isDirectory() || alias == null ? n : alias.parent();
    int fd;
    try (Location at = session.locate(dir)) {
      fd = openConfirmed(dir, at, Linux.O_RDONLY);
    }
    try {
      host.syncfs(fd);
    } finally {
      host.close(fd);
    }
  }
}
