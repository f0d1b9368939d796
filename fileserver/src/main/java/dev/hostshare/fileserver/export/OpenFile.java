package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.proto.Linux;

/** An open regular file. */
final class OpenFile extends Handle {
  /** The guest's open flags. */
  final int flags;

  final WriteStream stream = new WriteStream();

  /** The next open file of the same node; guarded by the {@link HandleTable}. */
  OpenFile next;

  OpenFile(long id, Node node, int fd, HostFs host, int flags) {
    super(id, node, fd, host);
    this.flags = flags;
  }

  boolean isAppend() {
    return (flags & Linux.O_APPEND) != 0;
  }

  /**
   * Whether a write must not be done in parts: another's may come between those of O_APPEND, and
   * each of a synchronous one's would wait for the disk.
   */
  boolean writesAtOnce() {
    return (flags & (Linux.O_APPEND | Linux.O_SYNC | Linux.O_DSYNC)) != 0;
  }

  boolean isWritable() {
    return (flags & Linux.O_ACCMODE) != Linux.O_RDONLY;
  }
}
