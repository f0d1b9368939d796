package dev.hostshare.agent.fs;

import dev.hostshare.proto.Errno;
import java.io.Serial;

/**
 * An operation's failure with a Linux error number. Has no stack trace: it is an answer, not a bug.
 */
public final class ErrnoException extends Exception {
  @Serial private static final long serialVersionUID = 1;

  private final int errno;

  public ErrnoException(int errno) {
    super(Errno.name(errno), null, false, false);
    this.errno = errno;
  }

  /** The positive error number. */
  public int errno() {
    return errno;
  }
}
