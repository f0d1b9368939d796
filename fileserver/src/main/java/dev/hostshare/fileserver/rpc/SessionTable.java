package dev.hostshare.fileserver.rpc;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.SessionStatus;
import dev.hostshare.proto.v1.Share;
import dev.hostshare.proto.v1.SharesChanged;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The sessions, by their secrets. Thread-safe. */
final class SessionTable {
  private static final Logger log = LoggerFactory.getLogger(SessionTable.class);

  /**
   * How long a session without a connection is kept. Longer than an agent's reconnect after a
   * network change; its locks stay taken meanwhile, so not for ever.
   */
  static final Duration GRACE = Duration.ofSeconds(30);

  private static final int SECRET_BYTES = 16;

  /** Each mount of a guest is one: several guests with long lists of shares. */
  private static final int MAX_SESSIONS = 256;

  private final ScheduledExecutorService timer;
  private final SecureRandom random = new SecureRandom();
  private final Map<ByteString, Session> sessions = new HashMap<>();

  SessionTable(ScheduledExecutorService timer) {
    this.timer = timer;
  }

  /** The session to resume, or null if it is not known. */
  synchronized Session find(ByteString secret) {
    return secret.isEmpty() ? null : sessions.get(secret);
  }

  /** Adds a session; null if there are too many. */
  synchronized ByteString add(Session session) {
    if (sessions.size() >= MAX_SESSIONS) {
      return null;
    }
    byte[] secret = new byte[SECRET_BYTES];
    random.nextBytes(secret);
    ByteString id = ByteString.copyFrom(secret);
    sessions.put(id, session);
    return id;
  }

  /** The session lost its connection: it ends after {@link #GRACE} unless it is resumed. */
  void detached(ByteString secret, Session session) {
    var _ =
        timer.schedule(
            () -> {
              if (session.isDetached()) {
                log.info("{}: session ends, it was not resumed", session.client);
                remove(secret, session);
              }
            },
            GRACE.toMillis(),
            TimeUnit.MILLISECONDS);
  }

  /** Ends a session at once. */
  void remove(ByteString secret, Session session) {
    synchronized (this) {
      sessions.remove(secret, session);
    }
    session.close();
  }

  private synchronized List<Session> all() {
    return List.copyOf(sessions.values());
  }

  /** Tells every guest what is shared now. */
  void sharesChanged(List<Share> shares) {
    SharesChanged message = SharesChanged.newBuilder().addAllShares(shares).build();
    all().forEach(s -> s.sharesChanged(message));
  }

  /** Once a second: how much each asks for. */
  void measure() {
    all().forEach(Session::measure);
  }

  synchronized List<SessionStatus> status() {
    return sessions.values().stream().map(Session::status).toList();
  }

  void close() {
    List<Session> all;
    synchronized (this) {
      all = new ArrayList<>(sessions.values());
      sessions.clear();
    }
    all.forEach(Session::close);
  }
}
