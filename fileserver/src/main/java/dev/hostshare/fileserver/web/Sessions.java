package dev.hostshare.fileserver.web;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;

/** Who may use the page: whoever had the link first. Thread-safe. */
final class Sessions {
  /** 256 bits, which nobody guesses. */
  private static final int SECRET_BYTES = 32;

  /** A browser or two; the oldest goes when there are more. */
  private static final int MAX_SESSIONS = 16;

  private final SecureRandom random = new SecureRandom();

  // ---- guarded by this ----
  private byte[] token;
  private final Deque<Session> sessions = new ArrayDeque<>();

  /** Two secrets, in base64url; each is nothing without the other. */
  record Session(String cookie, String key) {}

  /** A token for one use; the one before it is void from now on. */
  synchronized String newToken() {
    String fresh = secret();
    token = bytes(fresh);
    return fresh;
  }

  /** Makes a session of the token; null if that is a wrong or a used one. */
  synchronized Session exchange(String given) {
    if (token == null || !MessageDigest.isEqual(token, bytes(given))) {
      return null;
    }
    token = null;
    Session session = new Session(secret(), secret());
    if (sessions.size() == MAX_SESSIONS) {
      sessions.removeFirst();
    }
    sessions.addLast(session);
    return session;
  }

  /** The session with this cookie; null if there is none. */
  synchronized Session find(String cookie) {
    Session found = null;
    for (Session session : sessions) {
      if (isSame(session.cookie(), cookie)) {
        found = session;
      }
    }
    return found;
  }

  /** In a time that does not tell how much of it is right. */
  static boolean isSame(String secret, String given) {
    return MessageDigest.isEqual(bytes(secret), bytes(given));
  }

  private String secret() {
    byte[] bytes = new byte[SECRET_BYTES];
    random.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
