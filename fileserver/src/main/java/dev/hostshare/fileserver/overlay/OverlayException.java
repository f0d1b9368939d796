package dev.hostshare.fileserver.overlay;

import java.io.IOException;

/** The store cannot be used. The message names the file and the way out, fit for the user. */
public final class OverlayException extends IOException {
  private static final long serialVersionUID = 1;

  public OverlayException(String message, Throwable cause) {
    super(message, cause);
  }

  public OverlayException(String message) {
    super(message);
  }
}
