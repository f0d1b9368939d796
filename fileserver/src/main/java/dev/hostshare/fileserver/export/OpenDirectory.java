package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.HostFs;
import java.util.ArrayDeque;

/** An open directory; its position is guarded by itself. */
final class OpenDirectory extends Handle {
  /** Entries read from the host and not yet sent, which follow {@link #position}. */
  final ArrayDeque<HostFs.DirEntry> pending = new ArrayDeque<>();

  /** The cookie of the last entry sent. */
  long position;

  boolean atEnd;

  OpenDirectory(long id, Node node, int fd, HostFs host) {
    super(id, node, fd, host);
  }
}
