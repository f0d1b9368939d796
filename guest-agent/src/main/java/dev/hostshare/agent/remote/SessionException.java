package dev.hostshare.agent.remote;

import io.grpc.Status;
import java.io.IOException;
import java.io.Serial;
import javax.net.ssl.SSLException;

/** A session could not be begun. The message names the server and says what to do. */
public final class SessionException extends IOException {
  @Serial private static final long serialVersionUID = 1;

  SessionException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Says in a user's words why attaching to {@code address} ended with {@code status}. */
  static SessionException of(ServerAddress address, Status status) {
    String detail = detail(status);
    String message =
        switch (status.getCode()) {
          case UNAUTHENTICATED, PERMISSION_DENIED ->
              "server %s refuses this peer: %s. On a Unix socket only the server's own user and root may connect; over TCP the client certificate must be signed by the server's --tls-ca."
                  .formatted(address, detail);
          case FAILED_PRECONDITION ->
              "server %s does not speak our protocol: %s. Use the same release of hostshare on both sides."
                  .formatted(address, detail);
          case DEADLINE_EXCEEDED -> "server %s does not answer: %s".formatted(address, detail);
          default -> {
            if (hasTlsFailure(status.getCause())) {
              yield "TLS with server %s failed: %s. Check --tls-cert, --tls-key and --tls-ca, and that the server's certificate names the host you connect to."
                  .formatted(address, detail);
            }
            yield "cannot reach server %s: %s. Is `hostshare serve` running and listening there?"
                .formatted(address, detail);
          }
        };
    return new SessionException(message, status.asRuntimeException());
  }

  /** The innermost message: the outer ones only say that something went wrong. */
  private static String detail(Status status) {
    String detail =
        status.getDescription() != null ? status.getDescription() : status.getCode().name();
    for (Throwable c = status.getCause(); c != null; c = c.getCause()) {
      if (c.getMessage() != null) {
        detail = c.getMessage();
      }
    }
    return detail;
  }

  private static boolean hasTlsFailure(Throwable t) {
    for (Throwable c = t; c != null; c = c.getCause()) {
      if (c instanceof SSLException) {
        return true;
      }
    }
    return false;
  }
}
