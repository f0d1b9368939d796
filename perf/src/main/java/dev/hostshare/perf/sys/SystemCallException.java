package dev.hostshare.perf.sys;

import java.io.IOException;

/** A system call that failed, with the reason's number and name. */
public final class SystemCallException extends IOException {
  private static final long serialVersionUID = 1;

  private final int errno;
  private final String path;

  /**
   * @param path what it was about, or null if that is not known
   */
  SystemCallException(String call, int errno, String path) {
    super(
        "%s%s: %s (%s)"
            .formatted(call, path == null ? "" : " " + path, Errno.message(errno), name(errno)));
    this.errno = errno;
    this.path = path;
  }

  public int errno() {
    return errno;
  }

  /** As in errno(3): ENOSPC, for example. */
  public String errnoName() {
    return name(errno);
  }

  /** Null if it is not known. */
  public String path() {
    return path;
  }

  private static String name(int errno) {
    return Errno.name(errno);
  }
}
