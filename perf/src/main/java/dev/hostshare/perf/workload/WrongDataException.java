package dev.hostshare.perf.workload;

import java.io.IOException;

/** A file system that answers, but not what was written. */
public final class WrongDataException extends IOException {
  private static final long serialVersionUID = 1;

  /** Other bytes than those that were written. */
  WrongDataException(long offset, String path) {
    super("returned wrong data at offset %,d of %s".formatted(offset, path));
  }

  /** Other names, sizes or attributes than there must be. */
  WrongDataException(String what) {
    super("returned wrong data: " + what);
  }
}
