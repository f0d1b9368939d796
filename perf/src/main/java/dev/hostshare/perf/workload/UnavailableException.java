package dev.hostshare.perf.workload;

import java.io.IOException;

/** A workload that cannot be done here: it is left out, with the reason. */
public final class UnavailableException extends IOException {
  private static final long serialVersionUID = 1;

  UnavailableException(String reason) {
    super(reason);
  }
}
