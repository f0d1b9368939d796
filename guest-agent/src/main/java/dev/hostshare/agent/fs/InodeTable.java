package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Forget;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The inodes that the kernel knows, by our number, by the server's, by identity and by name.
 *
 * <p>Thread-safe; its lock is the innermost, nothing is called with it.
 */
final class InodeTable {

  /** FUSE_ROOT_ID. */
  static final long ROOT_ID = 1;

  private record Place(long parent, ByteString name) {}

  private final Map<Long, Inode> byId = new ConcurrentHashMap<>();
  private final Map<Long, Inode> byNode = new HashMap<>();
  private final Map<Inode.Key, Inode> byKey = new HashMap<>();
  private final Map<Place, Inode> byPlace = new HashMap<>();
  private final Inode root;

  /** The session that {@link #byNode} is about. */
  private long generation;

  private long nextId = ROOT_ID + 1;

  InodeTable(Entry rootEntry, long generation) {
    this.generation = generation;
    root =
        new Inode(
            ROOT_ID,
            Inode.Key.of(rootEntry.getAttr()),
            new Inode.Binding(generation, rootEntry.getNode()));
    root.lookups = 1;
    root.remoteLookups = 1;
    root.tell(rootEntry.getAttr(), false);
    byId.put(root.id, root);
    byNode.put(root.node(), root);
    byKey.put(root.key, root);
  }

  Inode root() {
    return root;
  }

  /** The inode with our number {@code id}; null if the kernel gave all its lookup counts back. */
  Inode get(long id) {
    return byId.get(id);
  }

  int size() {
    return byId.size();
  }

  /**
   * Takes an entry of the server in: one lookup count more at the server, and one more that the
   * kernel is told.
   *
   * @param parent the directory it was found in; null if in none (tmpfile)
   * @throws ErrnoException ESTALE if the entry is of a session that is over
   */
  synchronized Inode enter(Entry entry, long entryGeneration, Inode parent, ByteString name)
      throws ErrnoException {
    Inode inode = bind(entry, entryGeneration);
    inode.lookups++;
    if (parent != null) {
      place(inode, parent, name);
    }
    return inode;
  }

  private Inode bind(Entry entry, long entryGeneration) throws ErrnoException {
    advance(entryGeneration);
    long node = entry.getNode();
    Inode inode = byNode.get(node);
    if (inode != null) {
      inode.remoteLookups++;
      return inode;
    }
    var key = Inode.Key.of(entry.getAttr());
    var binding = new Inode.Binding(entryGeneration, node);
    inode = byKey.get(key);
    // Within one session two nodes are two files, even if one of them was given the other's inode
    // number on a volume without birth times.
    if (inode == null || inode.isCurrent(entryGeneration)) {
      inode = new Inode(nextId++, key, binding);
      byId.put(inode.id, inode);
      byKey.put(key, inode);
    }
    inode.binding = binding;
    inode.remoteLookups = 1;
    byNode.put(node, inode);
    return inode;
  }

  private void advance(long entryGeneration) throws ErrnoException {
    if (entryGeneration < generation) {
      throw new ErrnoException(Errno.ESTALE);
    }
    if (entryGeneration > generation) {
      generation = entryGeneration;
      byNode.clear();
    }
  }

  /**
   * Gives {@code inode} the number that a new session has for it. The entry's lookup count is taken
   * in.
   *
   * @return false if the entry is another file; its lookup count is then the caller's to give back
   */
  synchronized boolean rebind(Inode inode, Entry entry, long entryGeneration)
      throws ErrnoException {
    advance(entryGeneration);
    if (inode != root && !inode.key.equals(Inode.Key.of(entry.getAttr()))) {
      return false;
    }
    if (inode.isCurrent(entryGeneration)) {
      // A lookup was faster.
      if (inode.node() != entry.getNode()) {
        return false;
      }
      inode.remoteLookups++;
      return true;
    }
    inode.binding = new Inode.Binding(entryGeneration, entry.getNode());
    inode.remoteLookups = 1;
    byNode.put(entry.getNode(), inode);
    return true;
  }

  /**
   * Takes back {@code count} lookup counts of the kernel's.
   *
   * @return what to give back to the server, with the generation it belongs to; null if nothing
   */
  synchronized Forgotten forget(long id, long count) {
    Inode inode = byId.get(id);
    if (inode == null || inode == root) {
      return null;
    }
    inode.lookups -= count;
    if (inode.lookups > 0) {
      return null;
    }
    byId.remove(id);
    byKey.remove(inode.key, inode);
    if (inode.isCurrent(generation)) {
      byNode.remove(inode.node(), inode);
    }
    unplace(inode);
    return new Forgotten(
        inode.binding.generation(),
        Forget.One.newBuilder().setNode(inode.node()).setCount(inode.remoteLookups).build());
  }

  record Forgotten(long generation, Forget.One one) {}

  /** The inode that the server calls {@code node} in session {@code ofGeneration}; null if none. */
  synchronized Inode byNode(long node, long ofGeneration) {
    return ofGeneration == generation ? byNode.get(node) : null;
  }

  /** Follows a rename. Hints only: a name that we never saw is no error. */
  synchronized void renamed(
      Inode parent, ByteString name, Inode newParent, ByteString newName, boolean exchange) {
    Inode moved = byPlace.remove(new Place(parent.id, name));
    Inode target = byPlace.remove(new Place(newParent.id, newName));
    if (moved != null) {
      place(moved, newParent, newName);
    }
    if (exchange && target != null) {
      place(target, parent, name);
    }
  }

  /** The inode last seen under a name; null if none. */
  synchronized Inode at(Inode parent, ByteString name) {
    return byPlace.get(new Place(parent.id, name));
  }

  /** Every inode that the kernel knows. */
  Collection<Inode> all() {
    return List.copyOf(byId.values());
  }

  private void place(Inode inode, Inode parent, ByteString name) {
    if (inode == root || (inode.parent == parent && name.equals(inode.name))) {
      return;
    }
    unplace(inode);
    inode.parent = parent;
    inode.name = name;
    byPlace.put(new Place(parent.id, name), inode);
  }

  private void unplace(Inode inode) {
    if (inode.parent != null) {
      byPlace.remove(new Place(inode.parent.id, inode.name), inode);
    }
  }
}
