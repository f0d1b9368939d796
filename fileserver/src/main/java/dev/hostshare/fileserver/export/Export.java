package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.overlay.OverlayRecord;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * An open share: its root's descriptor, and how host attributes and overlay records make up what
 * its guests see.
 *
 * <p>Where another share lies in this one, what is seen of it through this one is a <i>view</i>: an
 * export too, with the access and owners of the inner share, since the more specific share wins,
 * whichever way a guest takes to it. A folder that is on the list and not shared is a view that is
 * not granted.
 *
 * <p>Thread-safe. Lives until it is revoked.
 */
public final class Export {
  private final HostFs host;
  private final OverlayStore overlay;
  private final Volumes volumes;
  private final HostStat rootStat;
  private final FileId rootId;
  private final FileId hidden;

  /** The share through which this view is seen; null if this is no view. */
  private final Export outer;

  /**
   * The root's path without symbolic links; it changes when the folder is moved and listed anew.
   */
  private volatile Path realPath;

  private volatile ShareSpec spec;
  private volatile boolean revoked;

  /** The shares that lie in this one, by their roots. Empty in a view: its outer one has it. */
  private volatile Map<FileId, Export> views = Map.of();

  /** The folders between this root and theirs: moved, they would take a share with them. */
  private volatile Set<FileId> above = Set.of();

  /** Guarded by this; -1 in a view and after the end. */
  private int rootFd;

  private Export(
      ShareSpec spec,
      Path realPath,
      HostFs host,
      OverlayStore overlay,
      Volumes volumes,
      int rootFd,
      HostStat rootStat,
      FileId rootId,
      FileId hidden) {
    this.spec = spec;
    this.realPath = realPath;
    this.host = host;
    this.overlay = overlay;
    this.volumes = volumes;
    this.rootFd = rootFd;
    this.rootStat = rootStat;
    this.rootId = rootId;
    this.hidden = hidden;
    this.outer = null;
  }

  private Export(Export outer, FileId root, Inner inner) {
    realPath = inner.realPath();
    host = outer.host;
    overlay = outer.overlay;
    volumes = outer.volumes;
    rootFd = -1;
    rootStat = outer.rootStat;
    rootId = root;
    hidden = outer.hidden;
    this.outer = outer;
    spec = seenFrom(inner.spec());
    revoked = !inner.open();
  }

  /**
   * Opens a share's folder.
   *
   * @param folder where the spec's path leads, free of symbolic links
   * @param hidden a folder that no guest may reach though it may lie in the share: the server's own
   *     state
   * @throws ErrnoException ENOENT, ENOTDIR, EACCES, ELOOP if a link was put on the way, ...
   */
  static Export open(
      ShareSpec spec,
      Path folder,
      HostFs host,
      OverlayStore overlay,
      Volumes volumes,
      FileId hidden)
      throws ErrnoException {
    int fd = host.openRoot(folder);
    try {
      HostStat stat = host.stat(fd, HostFs.SELF);
      FileId id = volumes.identify(stat, fd, HostFs.SELF);
      if (id.equals(hidden)) {
        throw ErrnoException.of(Errno.EACCES);
      }
      return new Export(spec, folder, host, overlay, volumes, fd, stat, id, hidden);
    } catch (ErrnoException e) {
      host.close(fd);
      throw e;
    }
  }

  public ShareSpec spec() {
    return spec;
  }

  Path realPath() {
    return realPath;
  }

  /**
   * Tells this share from another that was, or will be, at the same path: another folder, or one
   * whose owners are found in another way.
   */
  public long identity() {
    return rootId.hash64() ^ (checksCaller() ? -1 : 0);
  }

  FileId rootId() {
    return rootId;
  }

  /** Whether {@code other} is this share, but for its access and a fixed owner. */
  boolean isSame(Export other) {
    return spec.path().equals(other.spec.path())
        && rootId.equals(other.rootId)
        && checksCaller() == other.checksCaller();
  }

  /** Takes over what a share may change while guests use it. */
  void become(ShareSpec changed, Path folder) {
    spec = changed;
    realPath = folder;
  }

  /** The share itself, of a view the one through which it is seen. */
  Export base() {
    return outer == null ? this : outer;
  }

  /** A folder on the list that lies in this one; {@code open}: guests may have it. */
  record Inner(ShareSpec spec, Path realPath, boolean open) {}

  /**
   * Notes which folders of the list lie in this one.
   *
   * @param inner by their roots
   * @param between the folders between this root and theirs
   * @return whether anything that guests see is another than it was
   */
  boolean nest(Map<FileId, Inner> inner, Set<FileId> between) {
    Map<FileId, Export> next = new HashMap<>();
    boolean changed = inner.size() != views.size();
    for (Map.Entry<FileId, Inner> e : inner.entrySet()) {
      Inner its = e.getValue();
      Export view = views.get(e.getKey());
      if (view == null) {
        view = new Export(this, e.getKey(), its);
        changed = true;
      }
      ShareSpec seen = seenFrom(its.spec());
      changed |= !seen.equals(view.spec) || view.revoked == its.open();
      view.become(seen, its.realPath());
      view.revoked = !its.open();
      next.put(e.getKey(), view);
    }
    above = Set.copyOf(between);
    views = Map.copyOf(next);
    return changed;
  }

  /**
   * What a mount that asks the server for permissions can show of owners, one that leaves it to the
   * guest's kernel cannot: it keeps its own.
   */
  private ShareSpec seenFrom(ShareSpec inner) {
    return inner.owner() instanceof OwnerPolicy.Caller && !checksCaller()
        ? new ShareSpec(inner.path(), inner.readOnly(), base().spec.owner())
        : inner;
  }

  /** The export of a directory that was found in this one. */
  Export at(FileId directory) {
    Map<FileId, Export> shares = base().views;
    return shares.isEmpty() ? this : shares.getOrDefault(directory, this);
  }

  /** EBUSY, as for a mount point, if a share would go with the directory. */
  void requireMovable(FileId directory) throws ErrnoException {
    Export base = base();
    if (base.views.containsKey(directory) || base.above.contains(directory)) {
      throw ErrnoException.of(Errno.EBUSY);
    }
  }

  /** No session takes anything in from here on; see {@link ExportSession#revoke}. */
  void revoke() {
    revoked = true;
  }

  boolean isGranted() {
    return !revoked && (outer == null || !outer.revoked);
  }

  void requireGranted() throws ErrnoException {
    if (!isGranted()) {
      throw ErrnoException.of(Errno.EACCES);
    }
  }

  /** A descriptor of the root, the caller's. */
  synchronized int openRoot() throws ErrnoException {
    if (rootFd < 0) {
      throw ErrnoException.of(outer == null ? Errno.EACCES : Errno.ESTALE);
    }
    return host.openLocation(rootFd, new byte[] {'.'});
  }

  synchronized HostStat statRoot() throws ErrnoException {
    if (rootFd < 0) {
      throw ErrnoException.of(Errno.EACCES);
    }
    return host.stat(rootFd, HostFs.SELF);
  }

  /** Whether what no guest has chowned belongs to whoever asks. */
  boolean ownedByCaller() {
    return spec.owner() instanceof OwnerPolicy.Caller;
  }

  /**
   * Whether permissions are checked here: the mount leaves it to us, since its kernel cannot know
   * owners that differ by caller. So it is for all that is seen through that mount.
   */
  boolean checksCaller() {
    return base().ownedByCaller();
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

  /** Closes the root's descriptor: the folder's file system can be unmounted. */
  synchronized void close() {
    if (rootFd >= 0) {
      host.close(rootFd);
      rootFd = -1;
    }
  }
}
