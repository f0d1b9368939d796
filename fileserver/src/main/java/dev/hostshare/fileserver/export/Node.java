package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.FileId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A file that a session was told of. Its names are guarded by the {@link NodeTable} that made it,
 * its descriptor by {@link DirectoryDescriptors}, its open handles by {@link HandleTable}, its
 * watch by {@link Watches}.
 */
final class Node {
  /** A name under which this guest knows the node. */
  record Alias(Node parent, byte[] name) {
    boolean is(Node otherParent, byte[] otherName) {
      return parent == otherParent && Arrays.equals(name, otherName);
    }
  }

  final long id;
  final FileId fileId;

  /** Written under the lock of the {@link NodeTable}, when shares come to lie in others. */
  volatile Export export;

  /** S_IFMT bits on the host: a special file of the overlay is a regular one here. */
  final int hostType;

  // ---- guarded by the NodeTable ----
  /** The name seen last, or null when it has none that we know of. */
  volatile Alias alias;

  /** Further names of a file with hard links; null for nearly all. */
  List<Alias> others;

  long lookups;

  /** Aliases of other nodes that have this one as parent. */
  int children;

  /** Whether it is in the table no more, for good: what is begun for it now nobody would end. */
  volatile boolean collected;

  // ---- guarded by DirectoryDescriptors ----
  int fd = -1;
  int pins;
  boolean recentlyUsed;

  /** The descriptor is the only way to the file: it stays until the node goes. */
  boolean orphan;

  boolean gone;

  // ---- written under the lock of Watches ----
  /** The key under which this directory is watched, or null while it is not. */
  volatile String watched;

  /** Its file system cannot be watched. */
  volatile boolean unwatchable;

  // ---- guarded by ReadAhead ----
  /** Small files in this directory that were opened one after the other. */
  int smallOpens;

  /** When the last of them was, by {@link System#nanoTime}. */
  long smallOpenNanos;

  // ---- guarded by HandleTable ----
  OpenFile openFile;

  /** A small file that was removed while nobody had it open here, and that nobody opened since. */
  boolean light;

  Node(long id, Export export, FileId fileId, int hostType) {
    this.id = id;
    this.export = export;
    this.fileId = fileId;
    this.hostType = hostType;
  }

  boolean isDirectory() {
    return hostType == dev.hostshare.proto.Linux.S_IFDIR;
  }

  /** Every alias, the last seen first. Called under the table's lock. */
  List<Alias> aliases() {
    List<Alias> all = new ArrayList<>();
    if (alias != null) {
      all.add(alias);
    }
    if (others != null) {
      all.addAll(others);
    }
    return all;
  }
}
