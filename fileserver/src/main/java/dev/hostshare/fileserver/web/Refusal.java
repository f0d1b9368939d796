package dev.hostshare.fileserver.web;

/** Ends a request with a status and a text for the user. */
final class Refusal extends RuntimeException {
  @java.io.Serial private static final long serialVersionUID = 1;

  private final int status;

  Refusal(int status, String message) {
    super(message, null, false, false);
    this.status = status;
  }

  int status() {
    return status;
  }
}
