package dev.hostshare.fileserver.settings;

import java.io.IOException;

/** A refusal. Its message names what was refused and the way out, fit to be shown to the user. */
public final class SettingsException extends IOException {
  @java.io.Serial private static final long serialVersionUID = 1;

  /** Of which kind it is, for those who act on it. */
  public enum Reason {
    /** What was asked for makes no sense. */
    INVALID,
    /** No such share is on the list. */
    NOT_FOUND,
    /** It is on the list already. */
    ALREADY_LISTED,
    /** The administrator does not allow it. */
    NOT_ALLOWED,
    /** The folder cannot be shared as it is now. */
    UNAVAILABLE,
    /** A file cannot be read, or written. */
    BROKEN_FILE
  }

  private final Reason reason;

  public SettingsException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  SettingsException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
