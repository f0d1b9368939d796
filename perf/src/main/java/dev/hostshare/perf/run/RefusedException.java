package dev.hostshare.perf.run;

import java.io.IOException;

/** A target that cannot be measured; nothing has been done yet. */
public final class RefusedException extends IOException {
  private static final long serialVersionUID = 1;

  RefusedException(String reason) {
    super(reason);
  }
}
