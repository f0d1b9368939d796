package dev.hostshare.agent.docker;

import java.io.Serial;

/** A request that cannot be checked; the message says why, as a part of a sentence. */
final class UncheckableException extends Exception {
  @Serial private static final long serialVersionUID = 1;

  UncheckableException(String reason) {
    super(reason, null, false, false);
  }
}
