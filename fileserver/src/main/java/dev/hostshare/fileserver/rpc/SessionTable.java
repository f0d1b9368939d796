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
import java.util.function.Supplier;
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

  /**
   * Each mount of a guest is one: a guest with the longest list (200), and some with short ones.
   */
  private static final int MAX_SESSIONS = 256;

  private final ScheduledExecutorService timer;
  private final SecureRandom random = new SecureRandom();
  private final Map<ByteString, Session> sessions = new HashMap<>();

  /** Of {@link #sessions}; written with the lock held, read without. */
  private volatile int count;

  private final Object telling = new Object();

  SessionTable(ScheduledExecutorService timer) {
    this.timer = timer;
  }

  /**
   * The session to resume, or null if there is none: it is not known, or a share was taken away
   * that it had, and what it knows of that would be refused for good.
   */
  Session find(ByteString secret) {
    Session known;
    synchronized (this) {
      known = secret.isEmpty() ? null : sessions.get(secret);
    }
    if (known == null || !known.hasLost()) {
      return known;
    }
    log.info("{}: session ends, its share was taken away", known.client);
    remove(secret, known);
    return null;
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
    count = sessions.size();
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
      count = sessions.size();
    }
    session.close();
  }

  /** How many there are; at least 1. */
  int size() {
    return Math.max(1, count);
  }

  private synchronized List<Session> all() {
    return List.copyOf(sessions.values());
  }

  /**
   * Tells every guest what is shared now.
   *
   * @param shares asked when nobody else tells, so that the last word is the newest
   */
  void sharesChanged(Supplier<List<Share>> shares) {
    synchronized (telling) {
      SharesChanged message = SharesChanged.newBuilder().addAllShares(shares.get()).build();
      all().forEach(s -> s.sharesChanged(message));
    }
  }

  /** Tells one guest if that is another list than {@code told}, which it had with its welcome. */
  void sharesChanged(Session session, List<Share> told, Supplier<List<Share>> shares) {
    synchronized (telling) {
      List<Share> now = shares.get();
      if (!now.equals(told)) {
        session.sharesChanged(SharesChanged.newBuilder().addAllShares(now).build());
      }
    }
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
      count = 0;
    }
    all.forEach(Session::close);
  }
}
