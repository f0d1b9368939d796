package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.overlay.OverlayRecord;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;

/**
 * An open share: its root's descriptor, and how host attributes and overlay records make up what
 * its guests see. Thread-safe; lives as long as the server.
 */
public final class Export implements AutoCloseable {
  private final ShareSpec spec;
  private final HostFs host;
  private final OverlayStore overlay;
  private final Volumes volumes;
  private final int rootFd;
  private final HostStat rootStat;
  private final FileId rootId;
  private final FileId hidden;

  private Export(
      ShareSpec spec,
      HostFs host,
      OverlayStore overlay,
      Volumes volumes,
      int rootFd,
      HostStat rootStat,
      FileId rootId,
      FileId hidden) {
    this.spec = spec;
    this.host = host;
    this.overlay = overlay;
    this.volumes = volumes;
    this.rootFd = rootFd;
    this.rootStat = rootStat;
    this.rootId = rootId;
    this.hidden = hidden;
  }

  /**
   * Opens a share's folder.
   *
   * @param hidden a folder that no guest may reach though it may lie in the share: the server's own
   *     state
   * @throws ErrnoException ENOENT, ENOTDIR, EACCES, ...
   */
  public static Export open(
      ShareSpec spec, HostFs host, OverlayStore overlay, Volumes volumes, FileId hidden)
      throws ErrnoException {
    int fd = host.openRoot(spec.path());
    try {
      HostStat stat = host.stat(fd, HostFs.SELF);
      FileId id = volumes.identify(stat, fd, HostFs.SELF);
      if (id.equals(hidden)) {
        throw ErrnoException.of(Errno.EACCES);
      }
      return new Export(spec, host, overlay, volumes, fd, stat, id, hidden);
    } catch (ErrnoException e) {
      host.close(fd);
      throw e;
    }
  }

  public ShareSpec spec() {
    return spec;
  }

  int rootFd() {
    return rootFd;
  }

  FileId rootId() {
    return rootId;
  }

  boolean asksCaller() {
    return spec.owner() instanceof OwnerPolicy.Caller;
  }

  void requireWritable() throws ErrnoException {
    if (spec.readOnly()) {
      throw ErrnoException.of(Errno.EROFS);
    }
  }

  /** The identity of what was just seen at {@code name} in {@code dir}; EACCES if it is hidden. */
  FileId identify(HostStat stat, int dir, byte[] name) throws ErrnoException {
    FileId id = volumes.identify(stat, dir, name);
    if (id.equals(hidden)) {
      throw ErrnoException.of(Errno.EACCES);
    }
    return id;
  }

  /** As the guest sees it; loads the record. */
  Attributes compose(HostStat stat, FileId id, Caller caller) throws ErrnoException {
    return compose(stat, id, overlay.get(id), caller);
  }

  /** As the guest sees it with this record, which may be null. */
  Attributes compose(HostStat stat, FileId id, OverlayRecord r, Caller caller) {
    int mode = stat.mode();
    long rdev = stat.rdev();
    if (r != null && r.isSpecial() && stat.isRegular()) {
      mode = r.type() | (mode & Linux.PERMISSIONS);
      rdev = r.rdev();
    }
    if (r != null && r.hasMode() && !stat.isSymlink()) {
      mode = (mode & Linux.S_IFMT) | r.mode();
    }
    int uid = r != null && r.hasUid() ? r.uid() : unrecordedUid(stat, caller);
    int gid = r != null && r.hasGid() ? r.gid() : unrecordedGid(stat, caller);
    boolean hasXattrs = r != null && r.hasXattrs();
    return new Attributes(id, guestInode(stat, id), mode, uid, gid, rdev, hasXattrs, false, stat);
  }

  private int unrecordedUid(HostStat stat, Caller caller) {
    return switch (spec.owner()) {
      case OwnerPolicy.Host h -> stat.uid();
      case OwnerPolicy.Fixed f -> f.uid();
      case OwnerPolicy.Caller c -> caller.uid();
    };
  }

  private int unrecordedGid(HostStat stat, Caller caller) {
    return switch (spec.owner()) {
      case OwnerPolicy.Host h -> stat.gid();
      case OwnerPolicy.Fixed f -> f.gid();
      case OwnerPolicy.Caller c -> caller.gid();
    };
  }

  /** Inode numbers of other file systems mounted below the root could collide with the root's. */
  long guestInode(HostStat stat, FileId id) {
    return stat.dev() == rootStat.dev()
        ? stat.inode()
        : stat.inode() ^ Long.rotateRight(id.volume(), 12);
  }

  @Override
  public void close() {
    host.close(rootFd);
  }
}
