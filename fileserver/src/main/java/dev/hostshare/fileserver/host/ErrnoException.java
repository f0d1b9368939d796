package dev.hostshare.fileserver.host;

import dev.hostshare.proto.Errno;

/**
 * A file operation failed with a Linux errno. Stackless and shared: errors such as ENOENT are
 * answers, not accidents, and lie on the hot path.
 */
public final class ErrnoException extends Exception {
  private static final long serialVersionUID = 1;

  private static final ErrnoException[] SHARED = new ErrnoException[134];

  static {
    for (int i = 0; i < SHARED.length; i++) {
      SHARED[i] = new ErrnoException(i);
    }
  }

  private final int errno;

  private ErrnoException(int errno) {
    super(Errno.name(errno), null, false, false);
    this.errno = errno;
  }

  /** The exception for {@code errno}, a positive Linux number. */
  public static ErrnoException of(int errno) {
    return errno >= 0 && errno < SHARED.length ? SHARED[errno] : new ErrnoException(errno);
  }

  public int errno() {
    return errno;
  }
}
