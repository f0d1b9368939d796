package dev.hostshare.fileserver.export;

/**
 * A way to a file for one system call: a pinned descriptor, and a name in it or {@code SELF}.
 * Closed after the call; not thread-safe.
 */
final class Location implements AutoCloseable {
  final int dir;
  final byte[] name;
  private final DirectoryDescriptors descriptors;
  private final Node pinned;

  Location(int dir, byte[] name, DirectoryDescriptors descriptors, Node pinned) {
    this.dir = dir;
    this.name = name;
    this.descriptors = descriptors;
    this.pinned = pinned;
  }

  boolean isSelf() {
    return name.length == 0;
  }

  /** Whether the guest will be told of changes to what is here. */
  boolean isWatched() {
    return pinned != null && pinned.watched != null;
  }

  @Override
  public void close() {
    if (pinned != null) {
      descriptors.release(pinned);
    }
  }
}
