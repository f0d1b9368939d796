package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Forget;
import java.util.Arrays;
import java.util.Collection;

/**
 * The inodes that the kernel knows, by our number, by the server's, by identity and by name.
 *
 * <p>Thread-safe; its lock is the innermost, nothing is called with it.
 */
final class InodeTable {

  /** FUSE_ROOT_ID. */
  static final long ROOT_ID = 1;

  /** An inode with all that goes with it, where names are of 20 bytes. */
  private static final int INODE_BYTES = 380;

  /** What the agent needs of its heap besides: data on their way, and room to collect garbage. */
  private static final long OTHER_BYTES = 23L << 20;

  private static final int MIN_INODES = 10_000;

  private record Place(Inode parent, ByteString name) {
    @Override
    public int hashCode() {
      return hash(parent, name);
    }

    static int hash(Inode parent, ByteString name) {
      return Long.hashCode(parent.id) * 31 + name.hashCode();
    }
  }

  private final InodeIndex<Long> byId =
      new InodeIndex<>(
          inode -> inode.id, inode -> Long.hashCode(inode.id), (inode, id) -> inode.id == id);

  /** Those that have a number in the present session. */
  private final InodeIndex<Long> byNode =
      new InodeIndex<>(
          Inode::node, inode -> Long.hashCode(inode.node()), (inode, node) -> inode.node() == node);

  private final InodeIndex<Inode.Key> byKey =
      new InodeIndex<>(Inode::key, Inode::keyHash, Inode::has);

  private final InodeIndex<Place> byPlace =
      new InodeIndex<>(
          inode -> new Place(inode.parent, inode.name),
          inode -> Place.hash(inode.parent, inode.name),
          (inode, place) -> inode.parent == place.parent && inode.name.equals(place.name));

  private final Inode root;

  /** Those looked up first and last, besides the root. */
  private Inode oldest;

  private Inode newest;

  /** The session that {@link #byNode} is about. */
  private long generation;

  private long nextId = ROOT_ID + 1;

  /** How many there is memory for. */
  static int limit() {
    return (int)
        Math.max(MIN_INODES, (Runtime.getRuntime().maxMemory() - OTHER_BYTES) / INODE_BYTES);
  }

  /** Whether the inode of an entry is there, in this session or from one before. */
  synchronized boolean knows(Entry entry, long entryGeneration) {
    return byNode(entry.getNode(), entryGeneration) != null
        || byKey.get(Inode.Key.of(entry.getAttr())) != null;
  }

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
    byId.put(root);
    byNode.put(root);
    byKey.put(root);
  }

  Inode root() {
    return root;
  }

  /** The inode with our number {@code id}; null if the kernel gave all its lookup counts back. */
  synchronized Inode get(long id) {
    return byId.get(id);
  }

  synchronized int size() {
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
    if (inode != newest && inode != root) {
      unlink(inode);
      link(inode);
    }
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
      byId.put(inode);
      byKey.put(inode);
    }
    inode.binding = binding;
    inode.remoteLookups = 1;
    byNode.put(inode);
    return inode;
  }

  /** Makes it the newest. */
  private void link(Inode inode) {
    inode.older = newest;
    inode.newer = null;
    if (newest == null) {
      oldest = inode;
    } else {
      newest.newer = inode;
    }
    newest = inode;
  }

  /** Does nothing if it is not linked. */
  private void unlink(Inode inode) {
    if (inode.older != null) {
      inode.older.newer = inode.newer;
    } else if (oldest == inode) {
      oldest = inode.newer;
    }
    if (inode.newer != null) {
      inode.newer.older = inode.older;
    } else if (newest == inode) {
      newest = inode.older;
    }
    inode.older = null;
    inode.newer = null;
  }

  /**
   * Those looked up longest ago, at most {@code most} of them, by our numbers; as if they had been
   * looked up now, so that others are answered next.
   */
  synchronized long[] oldest(int most) {
    long[] ids = new long[Math.min(most, byId.size() - 1)];
    int count = 0;
    for (int i = 0; i < ids.length; i++) {
      Inode inode = oldest;
      unlink(inode);
      link(inode);
      if (!inode.isOpen()) {
        ids[count++] = inode.id;
      }
    }
    return Arrays.copyOf(ids, count);
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
    if (byId.get(inode.id) != inode) {
      return false; // the kernel forgot it meanwhile
    }
    if (inode != root && !inode.has(Inode.Key.of(entry.getAttr()))) {
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
    byNode.put(inode);
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
    byId.remove(inode);
    unlink(inode);
    byKey.remove(inode);
    if (inode.isCurrent(generation)) {
      byNode.remove(inode);
    }
    unplace(inode);
    return new Forgotten(
        inode.binding.generation(),
        Forget.One.newBuilder().setNode(inode.node()).setCount(inode.remoteLookups).build(),
        inode.parent);
  }

  /** {@code parent}: the directory it was last seen in; null if in none. */
  record Forgotten(long generation, Forget.One one, Inode parent) {}

  /** The inode that the server calls {@code node} in session {@code ofGeneration}; null if none. */
  synchronized Inode byNode(long node, long ofGeneration) {
    return ofGeneration == generation ? byNode.get(node) : null;
  }

  /** Follows a rename. Hints only: a name that we never saw is no error. */
  synchronized void renamed(
      Inode parent, ByteString name, Inode newParent, ByteString newName, boolean exchange) {
    Inode moved = byPlace.remove(new Place(parent, name));
    Inode target = byPlace.remove(new Place(newParent, newName));
    if (moved != null) {
      place(moved, newParent, newName);
    }
    if (exchange && target != null) {
      place(target, parent, name);
    }
  }

  /** The inode last seen under a name; null if none. */
  synchronized Inode at(Inode parent, ByteString name) {
    return byPlace.get(new Place(parent, name));
  }

  /** Every inode that the kernel knows. */
  synchronized Collection<Inode> all() {
    return byId.all();
  }

  private void place(Inode inode, Inode parent, ByteString name) {
    if (inode == root || (inode.parent == parent && name.equals(inode.name))) {
      return;
    }
    unplace(inode);
    inode.parent = parent;
    inode.name = name;
    byPlace.put(inode);
  }

  private void unplace(Inode inode) {
    if (inode.parent != null) {
      byPlace.remove(inode);
    }
  }
}
