package dev.hostshare.agent.docker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an engine says to the plugin, and what it hears. */
final class PluginServerTest {
  private static final String UNSHARED = "{\"HostConfig\":{\"Binds\":[\"/none:/x\"]}}";
  private static final String CREATE = "/v1.41/containers/create";

  @TempDir private Path temporary;
  private PluginServer server;

  private Path socket() {
    return temporary.resolve("plugins/hostshare.sock");
  }

  private void start(Shares shares) throws IOException {
    server = PluginServer.start(socket(), shares, AllowedPaths.of(true, List.of()));
  }

  @AfterEach
  void stop() throws IOException {
    if (server != null) {
      server.close();
    }
  }

  /** All that comes back until the other side closes. */
  private String exchange(byte[] request) throws IOException {
    return exchange(request, false);
  }

  private String exchange(byte[] request, boolean ends) throws IOException {
    try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket()));
      var buffer = ByteBuffer.wrap(request);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      if (ends) {
        channel.shutdownOutput();
      }
      return new String(Channels.newInputStream(channel).readAllBytes(), UTF_8);
    }
  }

  private String post(String path, String body) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    return exchange(
        "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(path, bytes.length, body)
            .getBytes(UTF_8));
  }

  private static String question(String uri, String body) {
    return "{\"RequestMethod\":\"POST\",\"RequestUri\":\"%s\",\"RequestBody\":\"%s\",\"RequestHeaders\":{\"Content-Type\":\"application/json\"}}"
        .formatted(uri, Base64.getEncoder().encodeToString(body.getBytes(UTF_8)));
  }

  private String ask(String uri, String body) throws IOException {
    return post("/AuthZPlugin.AuthZReq", question(uri, body));
  }

  private static void assertAllowed(String said) {
    assertTrue(said.endsWith("{\"Allow\":true}"), said);
  }

  private static void assertRefused(String reason, String said) {
    assertTrue(said.contains("\r\n\r\n{\"Allow\":false,\"Msg\":\"Mounts denied: "), said);
    assertTrue(said.contains(reason), said);
  }

  @Test
  void answersAnEngine() throws IOException {
    start(mount -> false);
    assertTrue(post("/Plugin.Activate", "").endsWith("{\"Implements\":[\"authz\"]}"));
    assertAllowed(ask("/_ping", ""));
    assertAllowed(ask(CREATE, "{\"HostConfig\":{\"Binds\":[\"/var/lib/x:/x\"]}}"));
    assertRefused("/none is not shared", ask(CREATE, UNSHARED));
    assertAllowed(post("/AuthZPlugin.AuthZRes", "{".repeat(9_000_000)));
    assertTrue(post("/VolumeDriver.Create", "{}").contains(" 404 "));
  }

  @Test
  void whatIsSharedIsAskedAnewEachTime() throws Exception {
    int mount = Location.of("/").mountId();
    var shared = new AtomicBoolean();
    start(id -> shared.get() && id == mount);
    assertRefused("/none", ask(CREATE, UNSHARED));
    shared.set(true);
    assertAllowed(ask(CREATE, UNSHARED));
  }

  @Test
  void createWithoutABodyIsRefused() throws IOException {
    start(mount -> true);
    for (String uri : List.of(CREATE, "/volumes/create", "/services/x/update")) {
      assertRefused("passed no body", ask(uri, ""));
    }
    // Before 1.24 a start may bring mounts; this one may have had a body.
    assertRefused("passed no body", ask("/v1.23/containers/x/start", ""));
    String bare = "{\"RequestMethod\":\"POST\",\"RequestUri\":\"/v1.23/containers/x/start\"}";
    assertAllowed(post("/AuthZPlugin.AuthZReq", bare));
    assertAllowed(ask("/v1.23/containers/x/start", "{\"Binds\":[\"/none:/x\"]}"));
  }

  @Test
  void startOfOldClientsIsChecked() throws IOException {
    start(mount -> false);
    assertRefused("/none", ask("/v1.23/containers/x/start", "{\"Binds\":[\"/none:/x\"]}"));
  }

  @Test
  void longRequestsAreRefusedOnlyWhereTheyBind() throws IOException {
    start(mount -> true);
    String body = "{\"Labels\":{\"a\":\"" + "x".repeat(4_000_000) + "\"}}";
    assertRefused("too long", ask(CREATE, body));
    assertAllowed(ask("/secrets/create", body));
    assertAllowed(ask(CREATE, "{\"Labels\":{\"a\":\"" + "x".repeat(1_000_000) + "\"}}"));
    // The room of all that came is free again.
    for (int i = 0; i < 20; i++) {
      assertAllowed(ask(CREATE, "{\"Labels\":{\"a\":\"" + "x".repeat(1_000_000) + "\"}}"));
    }
  }

  @Test
  void nonsenseIsAnError() throws IOException {
    start(mount -> true);
    for (String body :
        List.of("", "{", "[]", "{}", "{\"RequestUri\":7}", "{\"RequestMethod\":\"POST\"}")) {
      String said = post("/AuthZPlugin.AuthZReq", body);
      assertTrue(said.startsWith("HTTP/1.1 400 ") && said.contains("{\"Err\":"), said);
    }
    assertTrue(exchange("nonsense\r\n\r\n".getBytes(UTF_8)).startsWith("HTTP/1.1 400 "));
    var random = new Random(1);
    for (int i = 0; i < 200; i++) {
      byte[] bytes = new byte[random.nextInt(2000)];
      random.nextBytes(bytes);
      String said = exchange(bytes, true);
      assertFalse(said.contains("\"Allow\":true"), said);
    }
    assertAllowed(ask("/_ping", ""));
  }

  /** A mount whose server is away keeps whoever looks at it waiting. */
  @Test
  void hungMountHoldsUpNobody() throws Exception {
    var away = new CountDownLatch(1);
    start(
        mount -> {
          try {
            away.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
          return true;
        });
    try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
      var waiting = new ArrayList<Future<String>>();
      for (int i = 0; i < 100; i++) {
        waiting.add(clients.submit(() -> ask(CREATE, UNSHARED)));
      }
      // The plugin has 16 workers and room for 64 that wait: the others hear at once.
      for (int i = 0; i < 20; i++) {
        assertAllowed(ask("/containers/json", ""));
      }
      int atOnce = 0;
      for (Future<String> answer : waiting) {
        String said = answer.get();
        assertTrue(said.contains("\"Allow\":false"), said);
        atOnce += said.contains("too many requests wait") ? 1 : 0;
        assertTrue(
            said.contains("too many requests wait") || said.contains("takes more than 5 s"), said);
      }
      assertEquals(20, atOnce);
    } finally {
      away.countDown();
    }
    // Once the mount answers again, so do we.
    String said;
    do {
      said = ask(CREATE, UNSHARED);
    } while (said.contains("too many requests wait"));
    assertAllowed(said);
  }

  @Test
  void socketIsOursAlone() throws IOException {
    start(mount -> true);
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket())));
    var thrown = assertThrows(Exception.class, () -> start(mount -> true));
    assertTrue(thrown.getMessage() == null || thrown.getMessage().contains("another"), thrown + "");
    assertAllowed(ask("/_ping", ""));
    server.close();
    assertFalse(Files.exists(socket()));
    start(mount -> true);
    assertAllowed(ask("/_ping", ""));
  }

  @Test
  void folderThatCannotBeUsedIsNamed() throws IOException {
    Files.writeString(temporary.resolve("plugins"), "not a folder");
    String said = assertThrows(IOException.class, () -> start(m -> true)).getMessage();
    assertTrue(said.startsWith("cannot listen on " + socket() + ": its folder"), said);
    assertThrows(
        IllegalArgumentException.class,
        () -> PluginServer.start(Path.of("/"), m -> true, AllowedPaths.of(true, List.of())));
  }

  @Test
  void onlyAStaleSocketIsReplaced() throws IOException {
    Files.createDirectories(socket().getParent());
    Files.writeString(socket(), "not a socket");
    assertTrue(
        assertThrows(IOException.class, () -> start(m -> true)).getMessage().contains("no socket"));
    Files.delete(socket());
    try (var other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      other.bind(UnixDomainSocketAddress.of(socket()));
      String said = assertThrows(IOException.class, () -> start(m -> true)).getMessage();
      assertTrue(said.contains("another program serves there"), said);
    }
    // Its file is still there.
    assertTrue(Files.exists(socket()));
    start(mount -> true);
    assertAllowed(ask("/_ping", ""));
  }
}
