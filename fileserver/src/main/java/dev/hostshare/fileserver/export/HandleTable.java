package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.proto.Errno;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The open files and directories of one session, and how many descriptors it has for them and for
 * its locks. Thread-safe; one lock.
 */
final class HandleTable {
  private final HostFs host;
  private final int limit;
  private final Quota all;
  private final Map<Long, Handle> byId = new HashMap<>();
  private int descriptors;
  private long lastId;
  private boolean closed;

  /**
   * Nothing is open.
   *
   * @param limit the most descriptors that a session may have
   * @param all counts those of all sessions
   */
  HandleTable(HostFs host, int limit, Quota all) {
    this.host = host;
    this.limit = limit;
    this.all = all;
  }

  /** ENFILE when too many are open; the caller still owns {@code fd} then. */
  synchronized OpenFile addFile(Node node, int fd, int flags) throws ErrnoException {
    take(node);
    OpenFile file = new OpenFile(++lastId, node, fd, host, flags);
    byId.put(file.id, file);
    file.next = node.openFile;
    node.openFile = file;
    node.light = false;
    return file;
  }

  synchronized OpenDirectory addDirectory(Node node, int fd) throws ErrnoException {
    take(node);
    OpenDirectory directory = new OpenDirectory(++lastId, node, fd, host);
    byId.put(directory.id, directory);
    return directory;
  }

  /** Counts a descriptor; ENFILE when there are too many, of this session or of all. */
  synchronized void take(Node node) throws ErrnoException {
    node.export.requireGranted();
    if (closed) {
      throw ErrnoException.of(Errno.ENOTCONN);
    }
    if (descriptors >= limit || !all.add()) {
      throw ErrnoException.of(Errno.ENFILE);
    }
    descriptors++;
  }

  /** Descriptors that were counted are closed, or about to be. */
  synchronized void give(int number) {
    descriptors -= number;
    all.remove(number);
  }

  /** The handle, entered: the caller leaves it. EBADF if there is none. */
  Handle enter(long id) throws ErrnoException {
    Handle handle;
    synchronized (this) {
      handle = byId.get(id);
    }
    if (handle == null) {
      throw ErrnoException.of(Errno.EBADF);
    }
    handle.enter();
    return handle;
  }

  /** The open file, entered. EBADF if there is none, or it is a directory. */
  OpenFile enterFile(long id) throws ErrnoException {
    Handle handle = enter(id);
    if (handle instanceof OpenFile file) {
      return file;
    }
    handle.leave();
    throw ErrnoException.of(Errno.EBADF);
  }

  /** The open directory, entered. EBADF if there is none, or it is a file. */
  OpenDirectory enterDirectory(long id) throws ErrnoException {
    Handle handle = enter(id);
    if (handle instanceof OpenDirectory directory) {
      return directory;
    }
    handle.leave();
    throw ErrnoException.of(Errno.EBADF);
  }

  /** Some open file of the node, entered, or null. */
  OpenFile enterAnyOf(Node node) throws ErrnoException {
    synchronized (this) {
      if (node.openFile != null) {
        node.openFile.enter();
      }
      return node.openFile;
    }
  }

  /** Takes the handle out of the table; the caller has to leave it. EBADF if there is none. */
  synchronized Handle remove(long id) throws ErrnoException {
    Handle handle = byId.remove(id);
    if (handle == null) {
      throw ErrnoException.of(Errno.EBADF);
    }
    give(1);
    if (handle instanceof OpenFile file) {
      unlink(file);
    }
    return handle;
  }

  private static void unlink(OpenFile file) {
    Node node = file.node;
    if (node.openFile == file) {
      node.openFile = file.next;
      return;
    }
    for (OpenFile f = node.openFile; f != null; f = f.next) {
      if (f.next == file) {
        f.next = file.next;
        return;
      }
    }
  }

  synchronized boolean isOpen(Node node) {
    return node.openFile != null;
  }

  /** A small file was removed that has this node. */
  synchronized void removed(Node node) {
    node.light = node.openFile == null;
  }

  /** Whether its blocks are few, and go with its descriptor. */
  synchronized boolean isLight(Node node) {
    return node.light;
  }

  synchronized int size() {
    return byId.size();
  }

  /** Closes what is open of what was taken away. */
  void revoke() {
    List<Handle> revoked = new ArrayList<>();
    synchronized (this) {
      for (Handle handle : byId.values()) {
        if (!handle.node.export.isGranted()) {
          revoked.add(handle);
        }
      }
      for (Handle handle : revoked) {
        byId.remove(handle.id);
        if (handle instanceof OpenFile file) {
          unlink(file);
        }
      }
      give(revoked.size());
    }
    revoked.forEach(Handle::leave);
  }

  /** The end of the session: all are closed, and none can be opened any more. */
  void close() {
    List<Handle> open;
    synchronized (this) {
      closed = true;
      open = new ArrayList<>(byId.values());
      byId.clear();
      give(open.size());
    }
    open.forEach(Handle::leave);
  }
}
