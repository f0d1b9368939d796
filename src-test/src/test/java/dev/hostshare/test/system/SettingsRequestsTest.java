package dev.hostshare.test.system;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What others could send to the settings page's port, byte by byte. */
@SystemTest
@Timeout(60)
final class SettingsRequestsTest {
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) ");

  private static SettingsLab lab;
  private static URI link;
  private static String cookie;
  private static String key;
  private static byte[] list;

  @BeforeAll
  static void start() throws Exception {
    lab = new SettingsLab();
    lab.write("{\"version\": 1, \"shares\": [{\"path\": \"%s\"}]}".formatted(lab.path("b")));
    lab.serve();
    link = lab.openPage();
    list = Files.readAllBytes(lab.file());
    var reply = send(request("GET", "/?" + link.getRawQuery()).without("Cookie").without(KEY));
    assertEquals(303, reply.status, reply.text);
    cookie =
        reply.header("Set-Cookie: (hostshare-\\d+=[\\w-]{43}); Path=/; HttpOnly; SameSite=Strict");
    key = reply.header("Location: /#key=([\\w-]{43})");
  }

  @AfterAll
  static void stop() throws InterruptedException {
    try {
      assertEquals(0, lab.closePage());
    } finally {
      lab.close();
    }
  }

  /** Whatever was asked, nothing of it was done, and nobody was told how we are made. */
  @AfterEach
  void nothingHappened() throws IOException {
    assertEquals(new String(list, UTF_8), Files.readString(lab.file()));
    assertEquals(200, send(request("GET", "/api/status")).status);
    for (var sign : List.of("Exception", "ERROR", "\tat ")) {
      assertFalse(lab.log().contains(sign), lab.log());
    }
  }

  private static final String LETTERS = "abz019/.%;?#&=\\~+-_:\u00e4";

  private static final String KEY = "X-Hostshare-Key";

  /** A request of the page itself; what a test spoils of it is what it is refused for. */
  private static final class Request {
    private final String line;
    private final TreeMap<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private byte[] body = {};

    Request(String line) {
      this.line = line;
    }

    Request with(String header, String value) {
      headers.put(header, value);
      return this;
    }

    Request without(String header) {
      headers.remove(header);
      return this;
    }

    Request body(byte[] bytes) {
      body = bytes;
      return with("Content-Length", Integer.toString(bytes.length));
    }

    byte[] bytes() {
      var head = new StringBuilder(line).append(" HTTP/1.1\r\n");
      headers.forEach((name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
      return concat(head.append("\r\n").toString().getBytes(ISO_8859_1), body);
    }
  }

  private static byte[] concat(byte[] a, byte[] b) {
    var all = new byte[a.length + b.length];
    System.arraycopy(a, 0, all, 0, a.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  private static String site() {
    return link.getAuthority();
  }

  private static Request request(String method, String path) {
    return new Request(method + " " + path)
        .with("Host", site())
        .with("Connection", "close")
        .with("Origin", "http://" + site())
        .with("Sec-Fetch-Site", "same-origin")
        .with("Cookie", String.valueOf(cookie))
        .with(KEY, String.valueOf(key));
  }

  private static Request change(String method, String path, String json) {
    return request(method, path)
        .with("Content-Type", "application/json")
        .body(json.getBytes(UTF_8));
  }

  private static Request add() {
    return change("POST", "/api/shares", "{\"path\": \"" + lab.path("a") + "\"}");
  }

  private record Reply(int status, String text) {
    String header(String pattern) {
      var found = Pattern.compile("(?m)^" + pattern + "\r?$").matcher(text);
      assertTrue(found.find(), text);
      return found.group(1);
    }
  }

  private static Reply send(Request request) throws IOException {
    return send(request.bytes());
  }

  /** Status 0: the connection was closed without an answer. */
  private static Reply send(byte[] bytes) throws IOException {
    try (var socket = new Socket(link.getHost(), link.getPort())) {
      socket.setSoTimeout(10_000);
      try {
        socket.getOutputStream().write(bytes);
        socket.shutdownOutput();
      } catch (IOException e) {
        // Refused before all of it was sent: the answer is there.
      }
      var text = new String(read(socket), UTF_8);
      var status = STATUS.matcher(text);
      return new Reply(status.lookingAt() ? Integer.parseInt(status.group(1)) : 0, text);
    }
  }

  private static byte[] read(Socket socket) throws IOException {
    var out = new java.io.ByteArrayOutputStream();
    var buffer = new byte[8192];
    try {
      for (int n = socket.getInputStream().read(buffer);
          n >= 0;
          n = socket.getInputStream().read(buffer)) {
        out.write(buffer, 0, n);
      }
    } catch (java.net.SocketException e) {
      // Closed with our bytes unread; what it said before counts.
    }
    return out.toByteArray();
  }

  private static void assertRefused(int status, Request request) throws IOException {
    var reply = send(request);
    assertEquals(status, reply.status, () -> request.line + request.headers + "\n" + reply.text);
    assertTrue(reply.text.contains("Content-Security-Policy: default-src 'none'"), reply.text);
    assertFalse(
        Pattern.compile("Jetty|Javalin|java\\.|\tat ").matcher(reply.text).find(), reply.text);
  }

  @Test
  void whatThePageAsksIsDone() throws Exception {
    assertEquals(200, send(add()).status);
    assertTrue(lab.shares("list").expectSuccess().contains(lab.path("a")));
    assertEquals(
        200, send(change("DELETE", "/api/shares", "{\"path\": \"" + lab.path("a") + "\"}")).status);
    // with the members that this release writes
    list = Files.readAllBytes(lab.file());
  }

  @Test
  void linkIsOpenedInTheBrowser() throws IOException {
    String opened = lab.opened();
    while (opened == null) {
      Thread.onSpinWait();
      opened = lab.opened();
    }
    assertEquals(link.toString(), opened);
  }

  /** 127.0.0.1, as the kernel writes it; see proc_pid_net(5). */
  @Test
  void otherMachinesFindNobody() throws IOException {
    var port = String.format(":%04X", link.getPort());
    var listening = new ArrayList<String>();
    for (var table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
      for (var line : Files.readAllLines(Path.of(table))) {
        var fields = line.strip().split(" +", -1);
        if (fields[1].endsWith(port) && fields[3].equals("0A")) {
          // As an IPv6 socket has it, ::ffff:127.0.0.1.
          listening.add(fields[1].replaceFirst("^0{16}FFFF0{4}", ""));
        }
      }
    }
    assertEquals(List.of("0100007F" + port), listening);
  }

  @Test
  void otherHostsNamesAreRefused() throws IOException {
    for (var host :
        List.of(
            "evil.example:" + link.getPort(),
            "127.0.0.1",
            "localhost",
            "127.0.0.1:1",
            "[::1]:" + link.getPort(),
            "LOCALHOST.:" + link.getPort())) {
      assertRefused(403, add().with("Host", host).with("Origin", "http://" + host));
      assertRefused(403, request("GET", "/").with("Host", host).without("Origin"));
    }
    assertRefused(400, add().without("Host"));
    assertRefused(400, add().with("Host", site() + ".evil.example"));
    assertEquals(
        403,
        send(new String(add().bytes(), ISO_8859_1)
                .replace("POST /", "POST http://evil.example/")
                .replace("Host: " + site(), "Host: evil.example")
                .getBytes(ISO_8859_1))
            .status);
  }

  @Test
  void otherSitesAreRefused() throws IOException {
    assertRefused(403, add().without("Origin"));
    for (var origin :
        List.of(
            "null",
            "https://" + site(),
            "http://evil.example",
            "http://127.0.0.1:1",
            "http://127.0.0.1")) {
      assertRefused(403, add().with("Origin", origin));
      assertRefused(403, request("GET", "/api/folders?path=/").with("Origin", origin));
    }
    for (var from : List.of("cross-site", "same-site", "none")) {
      assertRefused(403, add().with("Sec-Fetch-Site", from));
      assertRefused(403, request("GET", "/api/status").with("Sec-Fetch-Site", from));
      assertRefused(403, request("GET", "/page.js").with("Sec-Fetch-Site", from));
    }
    assertRefused(403, request("GET", "/").with("Sec-Fetch-Site", "cross-site").without("Origin"));
    assertRefused(
        403, request("GET", "/?token=" + "x".repeat(43)).with("Sec-Fetch-Site", "cross-site"));
    for (var type :
        List.of(
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json-patch+json")) {
      assertRefused(415, add().with("Content-Type", type));
    }
    assertRefused(415, add().without("Content-Type"));
  }

  @Test
  void whoHasNoSessionIsRefused() throws Exception {
    var port = link.getPort();
    for (var path :
        List.of("/", "/page.js", "/api/status", "/api/events", "/api/folders?path=/", "/nothing")) {
      assertRefused(403, request("GET", path).without("Cookie"));
      assertRefused(
          403,
          request("GET", path).with("Cookie", "hostshare-%d=%s".formatted(port, "x".repeat(43))));
      assertRefused(403, request("GET", path).with("Cookie", "hostshare-" + port + "="));
    }
    assertRefused(403, add().without("Cookie"));
    // the cookie goes to every port of this host; the key does not
    assertRefused(403, add().without(KEY));
    assertRefused(403, add().with(KEY, key.substring(1) + "A"));
    assertRefused(403, request("GET", "/api/events").without(KEY));

    // a link is good once, and until the next one
    assertRefused(403, request("GET", "/?" + link.getRawQuery()));
    assertRefused(403, request("GET", "/?token="));
    var older = lab.newLink();
    var newer = lab.newLink();
    assertRefused(403, request("GET", "/?" + older.getRawQuery()).without("Cookie"));
    assertEquals(303, send(request("GET", "/?" + newer.getRawQuery()).without("Cookie")).status);
    assertTrue(send(request("GET", "/").without("Cookie")).text.contains("A new link is needed"));
  }

  @Test
  void methodsAndPathsThatAreNotThereAreRefused() throws IOException {
    for (var method : List.of("HEAD", "OPTIONS", "TRACE", "PATCH", "CONNECT", "PROPFIND", "X")) {
      var reply = send(request(method, "/api/shares"));
      assertTrue(reply.status == 405 || reply.status == 400, reply.text);
    }
    assertRefused(405, request("GET", "/api/shares?path=" + lab.path("a")));
    assertRefused(405, change("POST", "/api/status", "{}"));
    assertRefused(405, change("PUT", "/", "{}"));
    for (var path :
        List.of(
            "/page.html",
            "/web/page.js",
            "/api",
            "/api/",
            "//page.js",
            "/WEB-INF/web.xml",
            "/page.js/",
            "/Page.js",
            "/favicon.ico",
            "/etc/passwd",
            "/%2e%2e/etc/passwd",
            "/..%2f..%2fetc/passwd",
            "/../../etc/passwd",
            "/page.js/../../../etc/passwd",
            "/%00",
            "/page.js%00.css",
            "/;/page.js",
            "/\\..\\x")) {
      var reply = send(request("GET", path));
      assertTrue(reply.status == 404 || reply.status == 400, () -> path + reply.text);
    }
  }

  @Test
  void bodiesThatMakeNoSenseAreRefused() throws IOException {
    for (var json :
        List.of(
            "",
            "{",
            "[]",
            "null",
            "1",
            "{\"path\": 1}",
            "{\"path\": \"/x\"} x",
            "{path: '/x'}",
            "{\"path\": \"/x\", \"path\": \"/y\"}",
            "{\"nothing\": 1}",
            "{\"path\": \"/x\", \"uid\": -1}",
            "{\"path\": \"/x\", \"access\": \"ALL\"}",
            "{\"path\": \"\\ud800\"}",
            "{\"path\": \"\"}",
            "{\"path\": \"x\"}",
            "{\"path\": \"/a\\u0000b\"}",
            "{\"path\": \"" + "/x".repeat(3000) + "\"}",
            "{\"path\": \"" + lab.path("a") + "\", \"note\": \"" + "x".repeat(1001) + "\"}",
            "[".repeat(30_000),
            "{\"a\":".repeat(5_000))) {
      assertRefused(400, change("POST", "/api/shares", json));
    }
    assertRefused(
        400,
        request("POST", "/api/shares")
            .with("Content-Type", "application/json")
            .body(new byte[] {'"', (byte) 0xff, '"'}));
    assertRefused(
        413, change("POST", "/api/shares", "{\"path\": \"/" + "x".repeat(70_000) + "\"}"));
    assertRefused(
        413, change("POST", "/api/import", "{\"json\": \"" + "x".repeat(1_100_000) + "\"}"));
    assertRefused(413, change("POST", "/api/import", "x".repeat(5_000_000)));
    assertRefused(400, change("GET", "/api/folders?path=" + "x", ""));
    assertRefused(404, change("DELETE", "/api/shares", "{\"path\": \"" + lab.path("a") + "\"}"));
    assertRefused(404, change("POST", "/api/shares/restore", "{\"path\": \"/nothing\"}"));
    var long_ = send(request("GET", "/" + "x".repeat(30_000)));
    assertTrue(long_.status == 414 || long_.status == 431, long_.text);
    // what is no HTTP
    for (var bytes :
        List.of(
            "",
            "\r\n\r\n",
            "GET\r\n\r\n",
            "\u0016\u0003\u0001",
            "GET / HTTP/9.9\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: " + site() + "\r\nHost: x\r\n\r\n",
            "POST /api/shares HTTP/1.1\r\nHost: "
                + site()
                + "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) {
      var status = send(bytes.getBytes(ISO_8859_1)).status;
      assertTrue(status == 0 || status / 100 == 4 || status == 505, () -> bytes + status);
    }
  }

  /** A place where nothing is shown may be asked for; what is there may not be told. */
  @Test
  void folderOutsideWhatMayBeSharedIsNotShown() throws IOException {
    Files.writeString(
        lab.adminFile(),
        "{\"filesharingAllowedDirectories\": [{\"path\": \"%s\"}]}".formatted(lab.path("a")));
    Files.createSymbolicLink(Path.of(lab.path("a/out")), Path.of(lab.path("b")));
    try {
      while (!lab.shares("list").expectSuccess().contains("allows only")) {
        // the server has read the file when it says so
      }
      for (var path :
          List.of(
              "/",
              "/etc",
              lab.path("b"),
              lab.path("a/../b"),
              lab.path("a/out"),
              lab.path("a") + "/./../b",
              lab.path("") + "/",
              lab.path("a") + "x")) {
        var reply = send(request("GET", "/api/folders?path=" + path));
        assertEquals(403, reply.status, () -> path + reply.text);
        assertFalse(reply.text.contains("folders\":["), reply.text);
      }
      var inside = send(request("GET", "/api/folders?path=" + lab.path("a")));
      assertTrue(
          inside.text.contains(lab.path("a/in")) && !inside.text.contains("a/out\""), inside.text);
    } finally {
      Files.delete(Path.of(lab.path("a/out")));
      Files.delete(lab.adminFile());
    }
    while (lab.shares("list").expectSuccess().contains("administrator")) {
      // as above
    }
  }

  /** Half of them with a valid session, so that they get past the gate. */
  @Test
  void randomRequestsAreRefused() throws IOException {
    var random = new Random(42);
    var paths =
        List.of(
            "/",
            "/page.js",
            "/api/shares",
            "/api/shares/restore",
            "/api/import",
            "/api/folders?path=",
            "/api/status",
            "/?token=");
    var methods = List.of("GET", "POST", "PUT", "DELETE", "PATCH", "");
    for (int i = 0; i < 600; i++) {
      byte[] bytes;
      if (i % 6 == 0) {
        bytes = noise(random, 200);
      } else {
        var path =
            paths.get(random.nextInt(paths.size()))
                + (random.nextBoolean() ? text(random, 20) : "");
        var body = random.nextBoolean() ? noise(random, 300) : json(random, 3).getBytes(UTF_8);
        var request =
            request(methods.get(random.nextInt(methods.size())), path)
                .with("Content-Type", "application/json")
                .body(body);
        if (random.nextInt(4) == 0) {
          request.with(text(random, 8), text(random, 30));
        }
        if (random.nextInt(3) == 0) {
          request.without(
              List.of("Host", "Cookie", "Origin", KEY, "Sec-Fetch-Site").get(random.nextInt(5)));
        }
        bytes = request.bytes();
        for (int flips = random.nextInt(8) - 4; flips > 0; flips--) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
      }
      var reply = send(bytes);
      boolean read = reply.status == 200 && new String(bytes, ISO_8859_1).startsWith("GET ");
      assertTrue(
          reply.status == 0 || reply.status / 100 == 4 || reply.status == 505 || read,
          () -> new String(bytes, ISO_8859_1) + "\n" + reply.text);
      assertFalse(reply.text.contains("Exception"), reply.text);
    }
  }

  private static byte[] noise(Random random, int most) {
    var bytes = new byte[random.nextInt(most)];
    random.nextBytes(bytes);
    return bytes;
  }

  private static String text(Random random, int most) {
    var text = new StringBuilder();
    for (int n = random.nextInt(most) + 1; n > 0; n--) {
      text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
    }
    return text.toString();
  }

  /** JSON that has our members in it, with anything as their values. */
  private static String json(Random random, int depth) {
    return switch (random.nextInt(depth > 0 ? 7 : 5)) {
      case 0 -> Integer.toString(random.nextInt());
      case 1 -> "null";
      case 2 -> "\"" + text(random, 40).replace("\\", "\\\\") + "\"";
      case 3 -> "1e" + random.nextInt(400);
      case 4 -> "\"FIXED\"";
      case 5 -> {
        var members = new ArrayList<String>();
        for (var name :
            List.of("path", "access", "owner", "uid", "gid", "disabled", "note", "json", "x")) {
          if (random.nextBoolean()) {
            members.add("\"" + name + "\": " + json(random, depth - 1));
          }
        }
        yield "{" + String.join(", ", members) + "}";
      }
      default -> "[" + json(random, depth - 1) + "]";
    };
  }
}
