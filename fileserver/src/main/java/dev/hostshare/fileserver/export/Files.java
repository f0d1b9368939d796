package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Operations on open files. Thread-safe. */
public final class Files {
  private static final Logger log = LoggerFactory.getLogger(Files.class);

  /** Flags that mean something to the host's file; the rest is the guest kernel's business. */
  private static final int KEPT_FLAGS =
      Linux.O_ACCMODE | Linux.O_APPEND | Linux.O_TRUNC | Linux.O_DSYNC | Linux.O_SYNC;

  private static final int MAX_CREATE_TRIES = 16;

  /**
   * Large writes go to the host in pieces. Its page cache has what is written at once in one folio
   * if it can (Linux 6.16, ext4): with 1 MiB, writing a page in it later takes 13 to 20 µs rather
   * than 4, and the first write of 512 MiB 0.2 to 1.1 s rather than 0.12 to 0.18.
   */
  private static final long PIECE_BYTES = 64 << 10;

  private final ExportSession session;
  private final HostFs host;
  private final Permissions permissions;

  Files(ExportSession session) {
    this.session = session;
    this.host = session.host;
    this.permissions = new Permissions(session.xattrs());
  }

  /**
   * An open file.
   *
   * @param entry the node with a lookup count, for create and tmpfile; else null
   * @param created whether create made it
   */
  public record Opened(long handle, Entry entry, Attributes attributes, boolean created) {}

  /** What a write did. */
  public record Written(long count, long offset) {}

  /** Opens a node; O_TRUNC in {@code flags} truncates. */
  public Opened open(long node, int flags, boolean killSuidgid, Caller caller)
      throws ErrnoException {
    Node n = session.nodes.get(node);
    requireOpenable(n, flags);
    session.catchUp();
    Found found =
        session.reach(
            n,
            (at, stat) -> {
              permissions.require(
                  n.export, n.export.compose(stat, n.fileId, caller), caller, mask(flags));
              int fd = session.inodes().openConfirmed(n, at, flags & KEPT_FLAGS);
              return new Found(fd, at.isWatched());
            });
    Opened opened = opened(n, found, flags, killSuidgid, caller);
    if ((flags & Linux.O_TRUNC) != 0) {
      session.changed(n);
    }
    return opened;
  }

  /** A descriptor, and whether the name is watched under which it was opened. */
  private record Found(int fd, boolean nameWatched) {}

  private static void requireOpenable(Node n, int flags) throws ErrnoException {
    boolean writes = (flags & Linux.O_ACCMODE) != Linux.O_RDONLY || (flags & Linux.O_TRUNC) != 0;
    if (writes) {
      n.export.requireWritable();
    }
    switch (n.hostType) {
      case Linux.S_IFREG -> {}
      case Linux.S_IFDIR -> throw ErrnoException.of(Errno.EISDIR);
      case Linux.S_IFLNK -> throw ErrnoException.of(Errno.ELOOP);
      default -> throw ErrnoException.of(Errno.ENXIO); // the guest's kernel opens its own
    }
  }

  private static int mask(int flags) throws ErrnoException {
    int truncates = (flags & Linux.O_TRUNC) != 0 ? Permissions.WRITE : 0;
    return truncates
        | switch (flags & Linux.O_ACCMODE) {
          case Linux.O_RDONLY -> Permissions.READ;
          case Linux.O_WRONLY -> Permissions.WRITE;
          case Linux.O_RDWR -> Permissions.READ | Permissions.WRITE;
          default -> throw ErrnoException.of(Errno.EINVAL);
        };
  }

  /** Takes ownership of the descriptor. */
  private Opened opened(Node n, Found found, int flags, boolean killSuidgid, Caller caller)
      throws ErrnoException {
    OpenFile file;
    int fd = found.fd;
    try {
      file = session.handles.addFile(n, fd, flags);
    } catch (ErrnoException e) {
      host.close(fd);
      throw e;
    }
    try {
      if (killSuidgid && (flags & Linux.O_TRUNC) != 0) {
        session.inodes().killSuidgid(file);
      }
      HostStat stat = host.stat(fd, HostFs.SELF);
      Attributes attributes = n.export.compose(stat, n.fileId, caller);
      boolean watched = Names.isWatched(n, attributes, found.nameWatched);
      return new Opened(file.id, null, attributes.withWatched(watched), false);
    } catch (ErrnoException e) {
      session.handles.remove(file.id).leave();
      throw e;
    }
  }

  /** Makes and opens a file, or without O_EXCL opens the one that is there. */
  public Opened create(
      long parent, byte[] name, int mode, int umask, int flags, boolean killSuidgid, Caller caller)
      throws ErrnoException {
    Node p = session.nodes.get(parent);
    ExportSession.requireName(name);
    if (!p.isDirectory()) {
      throw ErrnoException.of(Errno.ENOTDIR);
    }
    // Someone may make and remove the name between our two looks at it, but not for ever.
    for (int tries = 0; tries < MAX_CREATE_TRIES; tries++) {
      try {
        return createNew(p, name, mode, umask, flags, caller);
      } catch (ErrnoException e) {
        if (e.errno() != Errno.EEXIST || (flags & Linux.O_EXCL) != 0) {
          throw e;
        }
      }
      Names.Walked found = session.names().walk(parent, java.util.List.of(name), caller);
      if (found.errno() == 0) {
        return openExisting(found.entries().getFirst(), flags, killSuidgid, caller);
      }
      if (found.errno() != Errno.ENOENT) {
        throw ErrnoException.of(found.errno());
      }
    }
    throw ErrnoException.of(Errno.EAGAIN);
  }

  private Opened openExisting(Entry entry, int flags, boolean killSuidgid, Caller caller)
      throws ErrnoException {
    try {
      Opened opened = open(entry.node(), flags, killSuidgid, caller);
      return new Opened(
          opened.handle(),
          new Entry(entry.node(), opened.attributes(), entry.nameWatched()),
          opened.attributes(),
          false);
    } catch (ErrnoException e) {
      session.forget(entry.node(), 1);
      throw e;
    }
  }

  private Opened createNew(Node p, byte[] name, int mode, int umask, int flags, Caller caller)
      throws ErrnoException {
    p.export.requireWritable();
    try (Location dir = session.locate(p)) {
      Attributes parent = p.export.compose(host.stat(dir.dir, HostFs.SELF), p.fileId, caller);
      if (p.export.checksCaller()) {
        requireMayCreate(p, dir, name, parent, caller);
      }
      Creation creation =
          new Creation(
              session,
              p.export,
              parent,
              Linux.S_IFREG | (mode & Linux.PERMISSIONS),
              umask,
              0,
              caller);
      int hostFlags = (flags & KEPT_FLAGS) | Linux.O_CREAT | Linux.O_EXCL;
      int fd =
          session.descriptors.withRoom(
              () -> host.open(dir.dir, name, hostFlags, creation.hostMode()));
      HostStat stat;
      FileId id;
      Attributes attributes;
      try {
        stat = host.stat(fd, HostFs.SELF);
        id = p.export.identify(stat, fd, HostFs.SELF);
        attributes = session.names().recordNew(p, name, stat, id, creation, caller);
      } catch (ErrnoException e) {
        host.close(fd);
        Names.undo(e, () -> host.unlink(dir.dir, name));
        throw e;
      }
      return enter(p, name, id, stat, fd, flags, attributes);
    }
  }

  /** Where the file exists, O_CREAT asks for nothing of the directory. */
  private void requireMayCreate(Node p, Location dir, byte[] name, Attributes parent, Caller caller)
      throws ErrnoException {
    try {
      host.stat(dir.dir, name);
    } catch (ErrnoException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
      permissions.requireInsert(p.export, parent, caller);
      return;
    }
    throw ErrnoException.of(Errno.EEXIST);
  }

  /** Takes ownership of {@code fd}. */
  private Opened enter(
      Node parent, byte[] name, FileId id, HostStat stat, int fd, int flags, Attributes attributes)
      throws ErrnoException {
    Node node = null;
    try {
      node =
          session.nodes.enter(parent.export, id, stat.type(), name == null ? null : parent, name);
      if (name == null) {
        // O_TMPFILE: the descriptor is the only way to it until it gets a name.
        session.descriptors.orphaned(node, host.reopen(fd, Linux.O_PATH));
      }
      OpenFile file = session.handles.addFile(node, fd, flags);
      if (name == null) {
        return new Opened(file.id, new Entry(node.id, attributes, false), attributes, true);
      }
      session.changedName(parent, name);
      Entry entry = Names.entry(node, attributes, parent);
      return new Opened(file.id, entry, entry.attributes(), true);
    } catch (ErrnoException e) {
      host.close(fd);
      if (node != null) {
        session.forget(node.id, 1);
      }
      throw e;
    }
  }

  /** open(2) with O_TMPFILE in the directory. */
  public Opened tmpfile(long parent, int mode, int umask, int flags, Caller caller)
      throws ErrnoException {
    Node p = session.nodes.get(parent);
    if (!p.isDirectory()) {
      throw ErrnoException.of(Errno.ENOTDIR);
    }
    p.export.requireWritable();
    try (Location dir = session.locate(p)) {
      Attributes attributes = p.export.compose(host.stat(dir.dir, HostFs.SELF), p.fileId, caller);
      permissions.requireInsert(p.export, attributes, caller);
      Creation creation =
          new Creation(
              session,
              p.export,
              attributes,
              Linux.S_IFREG | (mode & Linux.PERMISSIONS),
              umask,
              0,
              caller);
      int exclusive = flags & Linux.O_EXCL; // it shall never get a name
      int fd =
          session.descriptors.withRoom(
              () ->
                  host.open(
                      dir.dir,
                      HostFs.SELF,
                      (flags & KEPT_FLAGS) | exclusive | Linux.O_TMPFILE,
                      creation.hostMode()));
      HostStat stat;
      FileId id;
      Attributes made;
      try {
        stat = host.stat(fd, HostFs.SELF);
        id = p.export.identify(stat, fd, HostFs.SELF);
        var change = creation.record(stat, p.export.compose(stat, id, null, caller));
        made =
            change.isEmpty()
                ? p.export.compose(stat, id, null, caller)
                : p.export.compose(stat, id, session.overlay.change(id, null, change), caller);
      } catch (ErrnoException e) {
        host.close(fd);
        throw e;
      }
      return enter(p, null, id, stat, fd, flags, made);
    }
  }

  /** Reads into {@code buffer}; fewer bytes than its size only at the end of the file. */
  public int read(long handle, long offset, MemorySegment buffer) throws ErrnoException {
    OpenFile file = session.handles.enterFile(handle);
    try {
      return host.read(file.fd, buffer, offset);
    } finally {
      file.leave();
    }
  }

  /** Writes at {@code offset}, or with O_APPEND at the end, in one step with its reading. */
  public Written write(long handle, long offset, MemorySegment data, boolean killSuidgid)
      throws ErrnoException {
    OpenFile file = session.handles.enterFile(handle);
    try {
      file.node.export.requireWritable(); // the share may have become read-only since
      if (killSuidgid) {
        session.inodes().killSuidgid(file);
      }
      // Linux's pwrite on O_APPEND goes to the end whatever the offset (pwrite(2), BUGS).
      long count =
          file.writesAtOnce() ? host.write(file.fd, data, offset) : write(file, offset, data);
      session.changed(file.node);
      long begin = file.stream.wrote(offset, count);
      if (begin >= 0) {
        beginWriteBack(file, begin);
      }
      long where = file.isAppend() ? host.stat(file.fd, HostFs.SELF).size() - count : offset;
      return new Written(count, where);
    } finally {
      file.leave();
    }
  }

  private long write(OpenFile file, long offset, MemorySegment data) throws ErrnoException {
    long done = 0;
    while (done < data.byteSize()) {
      long size = Math.min(PIECE_BYTES, data.byteSize() - done);
      int count;
      try {
        count = host.write(file.fd, data.asSlice(done, size), offset + done);
      } catch (ErrnoException e) {
        if (done == 0) {
          throw e;
        }
        break; // whoever asks for the rest is told
      }
      done += count;
      if (count < size) {
        break;
      }
    }
    return done;
  }

  private void beginWriteBack(OpenFile file, long offset) {
    try {
      host.beginWriteBack(file.fd, offset, WriteStream.STEP);
    } catch (ErrnoException e) {
      // A disk's error is told by fsync; what was written is written.
      log.debug("the disk did not begin: {}", e.getMessage());
    }
  }

  /** Data, and the overlay's record, are on the disk. */
  public void fsync(long handle, boolean dataOnly) throws ErrnoException {
    Handle open = session.handles.enter(handle);
    try {
      session.overlay.sync();
      host.fsync(open.fd, dataOnly);
    } finally {
      open.leave();
    }
  }

  public void fallocate(long handle, int mode, long offset, long length) throws ErrnoException {
    OpenFile file = session.handles.enterFile(handle);
    try {
      file.node.export.requireWritable();
      host.fallocate(file.fd, mode, offset, length);
      session.changed(file.node);
    } finally {
      file.leave();
    }
  }

  /** Where lseek(2) would go; the handle's own position means nothing. */
  public long seek(long handle, long offset, int whence) throws ErrnoException {
    OpenFile file = session.handles.enterFile(handle);
    try {
      return host.seek(file.fd, offset, whence);
    } finally {
      file.leave();
    }
  }

  /** Bytes copied, which may be fewer than asked; the data does not leave the host. */
  public long copyRange(long in, long inOffset, long out, long outOffset, long length, int flags)
      throws ErrnoException {
    if (flags != 0) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    OpenFile from = session.handles.enterFile(in);
    try {
      OpenFile to = session.handles.enterFile(out);
      try {
        to.node.export.requireWritable();
        long copied = host.copyFileRange(from.fd, inOffset, to.fd, outOffset, length);
        session.changed(to.node);
        return copied;
      } finally {
        to.leave();
      }
    } finally {
      from.leave();
    }
  }

  /** close(2) of one of the guest's descriptors: its POSIX locks on the file go. */
  public void flush(long handle, long lockOwner) throws ErrnoException {
    Handle open = session.handles.enter(handle);
    try {
      session.locks().releaseOwner(open.node, lockOwner);
    } finally {
      open.leave();
    }
  }

  /** The last close of a file or directory. Its flock goes with it. */
  public void release(long handle) throws ErrnoException {
    session.handles.remove(handle).leave();
  }
}
