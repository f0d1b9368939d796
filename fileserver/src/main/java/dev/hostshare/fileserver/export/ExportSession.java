package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.export.Node.Alias;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.overlay.OverlayRecord;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.fileserver.overlay.Place;
import dev.hostshare.proto.Errno;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One guest's view of the shares: its nodes and handles, and the operations on them, grouped by
 * subject. Thread-safe: operations run side by side, as system calls do.
 */
public final class ExportSession implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ExportSession.class);

  final HostFs host;
  final OverlayStore overlay;
  final DirectoryDescriptors descriptors;
  final NodeTable nodes;
  final HandleTable handles;

  private final Watches watches;
  private volatile Invalidations invalidations = Invalidations.NONE;
  private volatile boolean hasLost;

  private final Names names;
  private final Inodes inodes;
  private final Files files;
  private final Directories directories;
  private final Xattrs xattrs;
  private final Locks locks;
  private final ReadAhead readAhead;
  private final int maxNodes;

  public ExportSession(
      HostFs host,
      OverlayStore overlay,
      DirectoryDescriptors descriptors,
      Watches watches,
      SessionLimits limits) {
    this.host = host;
    this.overlay = overlay;
    this.descriptors = descriptors;
    maxNodes = limits.nodes();
    nodes = new NodeTable(maxNodes, limits.allNodes(), this::forgotten);
    handles = new HandleTable(host, limits.handles(), limits.allHandles());
    xattrs = new Xattrs(this);
    inodes = new Inodes(this);
    names = new Names(this);
    files = new Files(this);
    directories = new Directories(this);
    locks = new Locks(this, limits.waitingLocks());
    readAhead = new ReadAhead(this);
    this.watches = watches;
    watches.begins(this);
  }

  /** Tells where invalidations go. To be called before the first operation. */
  public void attach(Invalidations to) {
    invalidations = to;
  }

  Invalidations invalidations() {
    return invalidations;
  }

  public Names names() {
    return names;
  }

  public Inodes inodes() {
    return inodes;
  }

  public Files files() {
    return files;
  }

  public Directories directories() {
    return directories;
  }

  public Xattrs xattrs() {
    return xattrs;
  }

  public Locks locks() {
    return locks;
  }

  public ReadAhead readAhead() {
    return readAhead;
  }

  /** Takes a share's root into the session, with a lookup count. */
  public Entry mount(Export export, Caller caller) throws ErrnoException {
    HostStat stat = export.statRoot();
    Node root = nodes.enter(export, export.rootId(), stat.type(), null, null);
    return new Entry(root.id, export.compose(stat, root.fileId, caller), true);
  }

  /** Gives lookup counts of a node back. May take long: see {@link #isLight}. */
  public void forget(long node, long count) {
    nodes.forget(node, count);
  }

  /**
   * Whether to {@link #forget} the node takes some microseconds: a small file that was removed, not
   * open. What else there may be to give back are watches, or the blocks of a large file.
   */
  public boolean isLight(long node) {
    Node known = nodes.known(node);
    return known != null && handles.isLight(known);
  }

  /** Nodes that there may be; one more is ENFILE. */
  public int maxNodes() {
    return maxNodes;
  }

  public int nodeCount() {
    return nodes.size();
  }

  public int handleCount() {
    return handles.size();
  }

  /** The end of the session: locks, handles and nodes go. */
  @Override
  public void close() {
    locks.close();
    handles.close();
    watches.ends(this);
    nodes.clear();
  }

  /**
   * Something was taken away: its handles are closed, its locks go, and the nodes of a share are of
   * no use any more. Nothing of it is open on the host when this returns, but by operations under
   * way.
   */
  void revoke() {
    handles.revoke();
    locks.revoke();
    List<Node> revoked = nodes.revoked();
    revoked.forEach(this::forgotten);
    hasLost |= !revoked.isEmpty();
  }

  /** Whether a share was taken away that it had: what it knows of it is of no use any more. */
  public boolean hasLost() {
    return hasLost;
  }

  /** Shares came to lie in others, or no longer do, or are shared in another way. */
  void sharesChanged() {
    nodes.rehome();
    invalidations.everything();
  }

  private void forgotten(Node node) {
    boolean last = node.orphan;
    unwatch(node);
    descriptors.gone(node);
    if (last) {
      try {
        overlay.remove(node.fileId);
      } catch (ErrnoException e) {
        // The file is gone and its identity never comes back: `overlay gc` finds the record.
        log.warn("record of a removed file stays: {}", e.getMessage());
      }
    }
  }

  private void unwatch(Node node) {
    if (node.watched == null) {
      return;
    }
    int fd = -1;
    try {
      fd = descriptors.acquire(node);
    } catch (ErrnoException e) {
      log.debug("a directory that is no longer where it was stays watched: {}", e.getMessage());
    }
    watches.unwatch(this, node, fd);
    if (fd >= 0) {
      descriptors.release(node);
    }
  }

  /** A change that others made on the host, to {@code name} in the directory or to itself. */
  void changedOnHost(Node directory, byte[] name, boolean names) {
    if (name.length == 0) {
      invalidations.node(directory.id);
      return;
    }
    Node child = null;
    try (Location at = locate(directory)) {
      HostStat stat = host.stat(at.dir, name);
      child = nodes.find(directory.export, directory.export.identify(stat, at.dir, name));
    } catch (ErrnoException e) {
      // Gone again, or hidden: then it is the name that has changed, which the guest is told.
      log.trace("what was changed cannot be looked at: {}", e.getMessage());
    }
    if (names || child == null) {
      // Also for a file that the guest may just be being told of, and that is no node yet.
      invalidations.name(directory.id, name);
    }
    if (names) {
      invalidations.node(directory.id);
    }
    if (child != null) {
      invalidations.node(child.id);
    }
  }

  /** A change by another session, to a file or to what {@code name} means in a directory. */
  void changedElsewhere(FileId file, byte[] name) {
    for (Node node : nodes.findAll(file)) {
      invalidations.node(node.id);
      if (name != null) {
        invalidations.name(node.id, name);
      }
    }
  }

  void changedRecord(FileId file) {
    nodes.findAll(file).forEach(node -> invalidations.node(node.id));
  }

  /** This session changed a file. */
  void changed(Node node) {
    watches.changed(this, node.fileId);
  }

  void changed(FileId file) {
    watches.changed(this, file);
  }

  /** This session changed what a name means. */
  void changedName(Node directory, byte[] name) {
    watches.changedName(this, directory.fileId, name);
  }

  /** Tells this guest, before it has its reply, of all that others changed until now. */
  void catchUp() throws ErrnoException {
    watches.catchUp();
  }

  /** A way to the node for one system call. By name it has to be checked with {@link #confirm}. */
  Location locate(Node node) throws ErrnoException {
    if (node.isDirectory()) {
      Location at = new Location(descriptors.acquire(node), HostFs.SELF, descriptors, node);
      watches.watch(this, node, at.dir);
      return at;
    }
    int orphan = descriptors.acquireOrphan(node);
    if (orphan >= 0) {
      return new Location(orphan, HostFs.SELF, descriptors, node);
    }
    Alias alias = node.alias;
    if (alias == null) {
      throw ErrnoException.of(Errno.ESTALE);
    }
    return new Location(
        descriptors.acquire(alias.parent()), alias.name(), descriptors, alias.parent());
  }

  /** What is at the location now; ESTALE unless it is the node. */
  HostStat confirm(Location at, Node node) throws ErrnoException {
    HostStat stat;
    try {
      stat = host.stat(at.dir, at.name);
    } catch (ErrnoException e) {
      throw e.errno() == Errno.ENOENT ? ErrnoException.of(Errno.ESTALE) : e;
    }
    if (!at.isSelf() && !node.export.identify(stat, at.dir, at.name).equals(node.fileId)) {
      throw ErrnoException.of(Errno.ESTALE);
    }
    return stat;
  }

  /** What {@link #reach} does at the place where the file is. */
  interface AtFile<T> {
    T apply(Location at, HostStat stat) throws ErrnoException;
  }

  /**
   * Runs {@code op} where the node is now: under one of its names, or through a descriptor that
   * this session has of it.
   *
   * @throws ErrnoException ESTALE if it is nowhere to be found
   */
  <T> T reach(Node node, AtFile<T> op) throws ErrnoException {
    try (Location at = locate(node)) {
      return op.apply(at, confirm(at, node));
    } catch (ErrnoException e) {
      if (e.errno() != Errno.ESTALE) {
        throw e;
      }
    }
    for (Alias alias : nodes.aliases(node)) {
      try (Location at =
          new Location(
              descriptors.acquire(alias.parent()), alias.name(), descriptors, alias.parent())) {
        return op.apply(at, confirm(at, node));
      } catch (ErrnoException e) {
        if (e.errno() != Errno.ESTALE) {
          throw e;
        }
      }
    }
    OpenFile open = handles.enterAnyOf(node);
    if (open == null) {
      throw ErrnoException.of(Errno.ESTALE);
    }
    try {
      return op.apply(
          new Location(open.fd, HostFs.SELF, descriptors, null), host.stat(open.fd, HostFs.SELF));
    } finally {
      open.leave();
    }
  }

  /** Attributes of what was just seen, the record inherited or its place brought up to date. */
  Attributes seen(Export export, HostStat stat, FileId id, Node parent, byte[] name, Caller caller)
      throws ErrnoException {
    OverlayRecord record = overlay.get(id);
    if (record == null) {
      if (stat.isRegular() && overlay.mayHaveName(parent.fileId, name)) {
        record = overlay.inherit(id, place(parent, name));
      }
    } else if (stat.nlink() == 1 || record.name() == null) {
      Place place = new Place(parent.fileId, name, null);
      if (!OverlayStore.isAt(record, place)) {
        overlay.moved(id, place(parent, name));
      }
    }
    return export.compose(stat, id, record, caller);
  }

  Place place(Node parent, byte[] name) {
    return new Place(parent.fileId, name, path(parent, name));
  }

  Place place(Node node) {
    Alias alias = node.alias;
    return alias == null ? null : place(alias.parent(), alias.name());
  }

  /**
   * The host path as far as this session knows, for people: bytes that are not UTF-8 are replaced.
   * Null if it is longer than a record keeps.
   */
  String path(Node parent, byte[] name) {
    List<String> parts = new ArrayList<>();
    parts.add(new String(name, StandardCharsets.UTF_8));
    int length = name.length;
    Node at = parent;
    // Bounded: renames on the host while we walk up could show us a circle.
    while (at.alias != null) {
      Alias alias = at.alias;
      if (alias == null) {
        break;
      }
      length += 1 + alias.name().length;
      if (length > OverlayRecord.MAX_PATH) {
        return null;
      }
      parts.add(new String(alias.name(), StandardCharsets.UTF_8));
      at = alias.parent();
    }
    Collections.reverse(parts);
    Path root = at.export.base().realPath();
    return (root.getNameCount() == 0 ? "" : root.toString()) + "/" + String.join("/", parts);
  }

  /** Refuses what is not one path component. */
  static void requireName(byte[] name) throws ErrnoException {
    if (name.length == 0) {
      throw ErrnoException.of(Errno.ENOENT);
    }
    if (name.length > dev.hostshare.proto.Linux.NAME_MAX) {
      throw ErrnoException.of(Errno.ENAMETOOLONG);
    }
    for (byte b : name) {
      if (b == '/' || b == 0) {
        throw ErrnoException.of(Errno.EINVAL);
      }
    }
    if (name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'))) {
      throw ErrnoException.of(Errno.EINVAL);
    }
  }
}
