package dev.hostshare.test.posix;

import dev.hostshare.proto.Errno;

/** A system call that failed. Unchecked: in a test, a call that is not expected to fail ends it. */
public final class ErrnoException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final int errno;

  ErrnoException(Sys call, int errno) {
    super(call + ": " + Errno.name(errno));
    this.errno = errno;
  }

  public int errno() {
    return errno;
  }
}
