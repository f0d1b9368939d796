package dev.hostshare.fileserver.web;

import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.JavalinConfig;
import io.javalin.http.Context;
import io.javalin.http.Cookie;
import io.javalin.http.Header;
import io.javalin.http.HttpResponseException;
import io.javalin.http.SameSite;
import io.javalin.util.JavalinBindException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The page's web server. Started by its constructor, ended by {@link #close}. */
public final class SettingsPage implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SettingsPage.class);

  /** Where it is, and nowhere else. */
  private static final String ADDRESS = "127.0.0.1";

  /** For one who accepts, one who selects, and what they start; requests have virtual threads. */
  private static final int THREADS = 6;

  /** 20 KiB: a path of 4,095 bytes, each written as %XX, and what browsers add. */
  private static final int MAX_HEADERS = 20 << 10;

  private static final List<String> SCRIPTS =
      List.of("/page.js", "/api.js", "/dom.js", "/shares.js", "/add.js", "/guests.js");

  /** On every answer. */
  static final Map<String, String> HEADERS =
      Map.of(
          "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src"
              + " 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none';"
              + " require-trusted-types-for 'script'; trusted-types 'none'",
          "X-Content-Type-Options",
          "nosniff",
          "X-Frame-Options",
          "DENY",
          "Referrer-Policy",
          "no-referrer",
          "Cache-Control",
          "no-store",
          "Cross-Origin-Opener-Policy",
          "same-origin",
          "Cross-Origin-Resource-Policy",
          "same-origin");

  private final Sessions sessions = new Sessions();
  private final Gate gate = new Gate(sessions, this::port);
  private final Javalin server;

  /**
   * Starts the server.
   *
   * @param port 0 for any that is free
   * @throws IOException if the port is taken
   */
  public SettingsPage(SettingsSource source, int port) throws IOException {
    server = Javalin.create(config -> configure(config, new Api(source), port));
    try {
      server.start();
    } catch (JavalinBindException e) {
      throw new IOException("port " + port + " of " + ADDRESS + " is taken: name another", e);
    }
  }

  private void configure(JavalinConfig config, Api api, int port) {
    config.startup.showJavalinBanner = false;
    config.startup.showOldJavalinVersionWarning = false;
    config.startup.startupWatcherEnabled = false;
    config.http.prefer405over404 = true;
    config.router.ignoreTrailingSlashes = false;
    config.http.compressionStrategy = CompressionStrategy.NONE;
    config.jetty.threadPool = threads();
    config.jetty.modifyServer(
        jetty -> {
          jetty.setStopTimeout(0);
          jetty.setErrorHandler(new PlainErrors());
        });
    config.jetty.addConnector((jetty, http) -> connector(jetty, http, port));
    config.routes.before(
        request -> {
          HEADERS.forEach(request::header);
          gate.check(request);
        });
    config.routes.get("/", this::page);
    for (String script : SCRIPTS) {
      asset(config, script, "text/javascript; charset=utf-8");
    }
    asset(config, "/style.css", "text/css; charset=utf-8");
    asset(config, "/icon.svg", "image/svg+xml");
    api.routes(config.routes);
    config.routes.exception(Refusal.class, (e, request) -> refuse(request, e));
    config.routes.exception(
        HttpResponseException.class,
        (e, request) -> refuse(request, new Refusal(e.getStatus(), words(e))));
    config.routes.exception(
        Exception.class,
        (e, request) -> {
          log.error("{} {} failed", request.method(), request.path(), e);
          refuse(
              request,
              new Refusal(500, "this failed; the reason is where `hostshare settings` runs"));
        });
  }

  private static QueuedThreadPool threads() {
    QueuedThreadPool threads = new QueuedThreadPool(THREADS, 2);
    threads.setName("web");
    threads.setDaemon(true);
    threads.setVirtualThreadsExecutor(VirtualThreads.getDefaultVirtualThreadsExecutor());
    return threads;
  }

  private static ServerConnector connector(Server jetty, HttpConfiguration http, int port) {
    http.setSendServerVersion(false);
    http.setRequestHeaderSize(MAX_HEADERS);
    ServerConnector connector = new ServerConnector(jetty, 1, 1, new HttpConnectionFactory(http));
    connector.setHost(ADDRESS);
    connector.setPort(port);
    return connector;
  }

  private static void asset(JavalinConfig config, String path, String type) {
    byte[] bytes = resource(path.substring(1));
    config.routes.get(path, request -> request.contentType(type).result(bytes));
  }

  private static byte[] resource(String name) {
    try (InputStream in = SettingsPage.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The page, or a session for who has the link. */
  private void page(Context request) {
    if (!Gate.isExchange(request)) {
      html(request, PAGE);
      return;
    }
    Sessions.Session session = sessions.exchange(request.queryParam("token"));
    if (session == null) {
      throw new Refusal(403, "this link was used already, or a newer one has taken its place");
    }
    Cookie cookie = new Cookie(gate.cookieName(), session.cookie());
    cookie.setHttpOnly(true);
    cookie.setSameSite(SameSite.STRICT);
    cookie.setPath("/");
    request.cookie(cookie);
    // What follows # stays in the browser: the page takes it from there.
    request.status(303).header(Header.LOCATION, "/#key=" + session.key());
  }

  private static final String PAGE = text("page.html");
  private static final String REFUSED = text("refused.html");

  private static String text(String name) {
    return new String(resource(name), java.nio.charset.StandardCharsets.UTF_8);
  }

  private static void refuse(Context request, Refusal refusal) {
    request.status(refusal.status());
    if (request.path().equals("/")) {
      html(request, REFUSED);
    } else {
      Api.error(request, refusal.getMessage());
    }
  }

  private static void html(Context request, String text) {
    request.contentType("text/html; charset=utf-8").result(text);
  }

  private static String words(HttpResponseException e) {
    return switch (e.getStatus()) {
      case 404 -> "there is no such page";
      case 405 -> "there is no such method here";
      default -> "this request cannot be answered";
    };
  }

  public int port() {
    return server.port();
  }

  /** A link that opens the page, once; the one before it is void. */
  public String newLink() {
    return "http://" + ADDRESS + ":" + port() + "/?token=" + sessions.newToken();
  }

  @Override
  public void close() {
    server.stop();
  }
}
