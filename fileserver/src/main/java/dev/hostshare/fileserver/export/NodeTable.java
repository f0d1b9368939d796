package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.export.Node.Alias;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.proto.Errno;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The nodes of one session: by id and by identity, with their names and lookup counts. A node lives
 * while the guest holds lookup counts on it or knows something below it. Thread-safe; one lock.
 */
final class NodeTable {
  /** Renames on the host while we walk up could show us a circle. */
  private static final int MAX_DEPTH = 4096;

  private record Key(Export export, FileId fileId) {}

  private final int limit;
  private final Quota all;
  private final Consumer<Node> onGone;
  private final Map<Long, Node> byId = new HashMap<>();
  private final Map<Key, Node> byKey = new HashMap<>();
  private final Set<Export> exports = new HashSet<>();
  private long lastId;

  /**
   * A new table.
   *
   * @param limit the most nodes that a session may have, since their memory is ours
   * @param all counts those of all sessions
   * @param onGone told of each node that is forgotten, outside the lock
   */
  NodeTable(int limit, Quota all, Consumer<Node> onGone) {
    this.limit = limit;
    this.all = all;
    this.onGone = onGone;
  }

  /**
   * The node with this id; ESTALE if it was never given out or was forgotten, EACCES if its share
   * was taken away.
   */
  synchronized Node get(long id) throws ErrnoException {
    Node node = byId.get(id);
    if (node == null) {
      throw ErrnoException.of(Errno.ESTALE);
    }
    node.export.requireGranted();
    return node;
  }

  /** The node of a file in a directory of {@code export}, if the session knows it. */
  synchronized Node find(Export export, FileId fileId) {
    return byKey.get(new Key(export.at(fileId), fileId));
  }

  /** The nodes of a file, in whatever share the session knows it. */
  synchronized List<Node> findAll(FileId fileId) {
    List<Node> found = new ArrayList<>();
    exports.forEach(
        export -> {
          Node node = byKey.get(new Key(export, fileId));
          if (node != null) {
            found.add(node);
          }
        });
    return found;
  }

  /**
   * Notes that the guest is told of this file, with one lookup count.
   *
   * @param export of a share's root and of an unnamed file; a named one has that of its parent
   * @param parent and name: where it was seen; null for a share's root and an unnamed file
   * @throws ErrnoException ENFILE when the session knows too many, or all of them do; EACCES if the
   *     share was taken away
   */
  synchronized Node enter(Export export, FileId fileId, int hostType, Node parent, byte[] name)
      throws ErrnoException {
    // Looked at under the lock: what shares lie in it may just have changed.
    Export its = parent == null ? export : parent.export.at(fileId);
    its.requireGranted();
    Key key = new Key(its, fileId);
    Node node = byKey.get(key);
    if (node == null) {
      if (byId.size() >= limit || !all.add()) {
        throw ErrnoException.of(Errno.ENFILE);
      }
      node = new Node(++lastId, its, fileId, hostType);
      byId.put(node.id, node);
      byKey.put(key, node);
      if (parent == null || its != parent.export) {
        exports.add(its);
      }
    }
    node.lookups++;
    if (parent != null) {
      addAlias(node, parent, name);
    }
    return node;
  }

  private void addAlias(Node node, Node parent, byte[] name) {
    Alias current = node.alias;
    if (current != null && current.is(parent, name)) {
      return;
    }
    List<Node> freed = List.of();
    if (node.isDirectory() && current != null) {
      // A directory has one name: this one replaces what it had before a rename on the host.
      node.alias = null;
      freed = dropParent(current.parent());
    } else if (node.others != null && node.others.removeIf(a -> a.is(parent, name))) {
      dropParent(parent);
    }
    if (node.alias != null) {
      if (node.others == null) {
        node.others = new ArrayList<>(1);
      }
      node.others.add(node.alias);
    }
    node.alias = new Alias(parent, name);
    parent.children++;
    freed.forEach(onGone);
  }

  /** The guest was told that this name is no more the node's. */
  synchronized void removeAlias(Node node, Node parent, byte[] name) {
    boolean removed = false;
    if (node.alias != null && node.alias.is(parent, name)) {
      node.alias = node.others == null || node.others.isEmpty() ? null : node.others.removeLast();
      removed = true;
    } else if (node.others != null) {
      removed = node.others.removeIf(a -> a.is(parent, name));
    }
    if (removed) {
      dropParent(parent).forEach(onGone);
    }
  }

  /** The node's name changed by a rename of the guest's own. */
  synchronized void moved(Node node, Node parent, byte[] name, Node newParent, byte[] newName) {
    newParent.children++; // keeps it while the old alias goes
    removeAlias(node, parent, name);
    addAlias(node, newParent, newName);
    newParent.children--;
  }

  /** One more name, made by link(2). */
  synchronized void linked(Node node, Node parent, byte[] name) {
    addAlias(node, parent, name);
  }

  /** The names of a node now, the last seen first. */
  synchronized List<Alias> aliases(Node node) {
    return node.aliases();
  }

  synchronized int lookupsOf(Node node) {
    return (int) Math.min(node.lookups, Integer.MAX_VALUE);
  }

  /** The node, or null. */
  synchronized Node known(long id) {
    return byId.get(id);
  }

  /** Gives lookup counts back; more than there are is the guest's mistake and counts as all. */
  void forget(long id, long count) {
    List<Node> freed;
    synchronized (this) {
      Node node = byId.get(id);
      if (node == null) {
        return;
      }
      node.lookups = count < 0 ? 0 : Math.max(0, node.lookups - count);
      freed = collect(node);
    }
    freed.forEach(onGone);
  }

  private List<Node> dropParent(Node parent) {
    parent.children--;
    return collect(parent);
  }

  /** Removes the node if nothing holds it, then its parents in turn. */
  private List<Node> collect(Node node) {
    List<Node> freed = new ArrayList<>();
    List<Node> candidates = new ArrayList<>(List.of(node));
    while (!candidates.isEmpty()) {
      Node n = candidates.removeLast();
      if (n.lookups > 0 || n.children > 0 || byId.remove(n.id) == null) {
        continue;
      }
      n.collected = true;
      all.remove(1);
      byKey.remove(new Key(n.export, n.fileId), n);
      for (Alias a : n.aliases()) {
        a.parent().children--;
        candidates.add(a.parent());
      }
      n.others = null;
      freed.add(n);
    }
    return freed;
  }

  synchronized int size() {
    return byId.size();
  }

  /** The nodes of shares that were taken away, for good; a view may be granted again. */
  synchronized List<Node> revoked() {
    return byId.values().stream().filter(n -> !n.export.base().isGranted()).toList();
  }

  /** Gives each node the export of where it is, after shares came to lie in others, or went. */
  synchronized void rehome() {
    Map<Node, Export> known = new HashMap<>();
    for (Node node : byId.values()) {
      Export export = exportOf(node, known);
      if (export != node.export) {
        byKey.remove(new Key(node.export, node.fileId), node);
        node.export = export;
        byKey.put(new Key(export, node.fileId), node);
        exports.add(export);
      }
    }
  }

  private static Export exportOf(Node node, Map<Node, Export> known) {
    List<Node> below = new ArrayList<>();
    Export export = null;
    for (Node n = node; export == null; ) {
      export = known.get(n);
      if (export == null) {
        Export base = n.export.base();
        Export own = n.isDirectory() ? base.at(n.fileId) : base;
        Alias alias = n.alias;
        if (own == base && (alias == null || below.size() > MAX_DEPTH)) {
          own = base.at(n.export.rootId()); // it has no name any more: where it was last
        }
        if (own != base || alias == null || below.size() > MAX_DEPTH) {
          export = own;
          known.put(n, own);
        } else {
          below.add(n);
          n = alias.parent();
        }
      }
    }
    for (Node n : below) {
      known.put(n, export);
    }
    return export;
  }

  /** The end of the session: every node goes. */
  void clear() {
    List<Node> gone;
    synchronized (this) {
      gone = new ArrayList<>(byId.values());
      gone.forEach(node -> node.collected = true);
      byId.clear();
      byKey.clear();
      all.remove(gone.size());
    }
    gone.forEach(onGone);
  }
}
