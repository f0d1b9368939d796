package dev.hostshare.fileserver.web;

import io.javalin.http.Context;
import io.javalin.http.HandlerType;
import io.javalin.http.Header;
import java.util.Set;
import java.util.function.IntSupplier;

/**
 * Lets through what our own page asks, and nothing else: no other site (DNS rebinding, CSRF), no
 * other page on this host, no other user.
 */
final class Gate {
  /** Of the page, as its script sends it; no other site can make a browser send it to us. */
  static final String KEY_HEADER = "X-Hostshare-Key";

  private static final Set<HandlerType> CHANGES =
      Set.of(HandlerType.POST, HandlerType.PUT, HandlerType.DELETE);

  /** What the page of refusal needs, too. */
  private static final Set<String> FOR_EVERYBODY = Set.of("/style.css", "/icon.svg");

  private final Sessions sessions;
  private final IntSupplier port;

  Gate(Sessions sessions, IntSupplier port) {
    this.sessions = sessions;
    this.port = port;
  }

  String cookieName() {
    // Cookies know no ports: two pages at a time must not take each other's.
    return "hostshare-" + port.getAsInt();
  }

  /** Throws a {@link Refusal} if the request is not to be answered. */
  void check(Context request) {
    String host = request.header(Header.HOST);
    if (!isOurs(host)) {
      throw new Refusal(403, "this page is at 127.0.0.1 and localhost only");
    }
    HandlerType method = request.method();
    boolean changes = CHANGES.contains(method);
    if (!changes && !method.equals(HandlerType.GET)) {
      throw new Refusal(405, "there is no such method here");
    }
    checkOrigin(request, host, changes);
    if (FOR_EVERYBODY.contains(request.path()) || isExchange(request)) {
      return;
    }
    checkSession(request);
    if (changes && !isJson(request.contentType())) {
      throw new Refusal(415, "application/json is expected");
    }
  }

  static boolean isExchange(Context request) {
    return request.path().equals("/") && request.queryParam("token") != null;
  }

  private boolean isOurs(String host) {
    return host != null
        && (host.equals("127.0.0.1:" + port.getAsInt())
            || host.equals("localhost:" + port.getAsInt()));
  }

  private static void checkOrigin(Context request, String host, boolean changes) {
    String origin = request.header(Header.ORIGIN);
    if (origin == null ? changes : !origin.equals("http://" + host)) {
      throw new Refusal(403, "only the page itself may ask this");
    }
    // Another port of this host is "same-site", and somebody else's.
    String site = request.header("Sec-Fetch-Site");
    boolean byTheUser = !changes && request.path().equals("/") && "none".equals(site);
    if (site != null && !site.equals("same-origin") && !byTheUser) {
      throw new Refusal(403, "only the page itself may ask this, not another site");
    }
  }

  private void checkSession(Context request) {
    String cookie = request.cookie(cookieName());
    Sessions.Session session = cookie == null ? null : sessions.find(cookie);
    if (session == null) {
      throw new Refusal(
          403,
          "this browser has not opened the page by a fresh link: press Enter where `hostshare"
              + " settings` runs, and open the link that it prints");
    }
    String key = request.header(KEY_HEADER);
    if (request.path().startsWith("/api/")
        && (key == null || !Sessions.isSame(session.key(), key))) {
      throw new Refusal(
          403,
          "this tab has not the key of the page: press Enter where `hostshare settings` runs, and"
              + " open the link that it prints");
    }
  }

  private static boolean isJson(String type) {
    if (type == null) {
      return false;
    }
    int end = type.indexOf(';');
    return (end < 0 ? type : type.substring(0, end)).strip().equalsIgnoreCase("application/json");
  }
}
