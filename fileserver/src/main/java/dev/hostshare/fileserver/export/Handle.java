package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.proto.Errno;

/**
 * An open file or directory of one session, with its own open file description on the host. The
 * descriptor is closed when it was released and no operation is using it any more.
 */
abstract sealed class Handle permits OpenFile, OpenDirectory {
  final long id;
  final Node node;
  final int fd;
  private final HostFs host;
  private int users = 1;

  Handle(long id, Node node, int fd, HostFs host) {
    this.id = id;
    this.node = node;
    this.fd = fd;
    this.host = host;
  }

  /** Before an operation on the descriptor; EBADF when it was released. */
  synchronized void enter() throws ErrnoException {
    if (users == 0) {
      throw ErrnoException.of(Errno.EBADF);
    }
    users++;
  }

  /** After it, and once for the release itself. */
  synchronized void leave() {
    if (--users == 0) {
      host.close(fd);
    }
  }
}
