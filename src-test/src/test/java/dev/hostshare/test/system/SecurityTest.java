package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who may connect: peer credentials on the Unix socket, client certificates over TCP. */
@SystemTest
class SecurityTest {
  private Path folder;
  private Path share;
  private Guest guest;
  private Server server;
  private String host;

  @BeforeEach
  void start() throws IOException {
    folder = Installation.newFolder("hostshare-security");
    share = Files.createDirectory(folder.resolve("share"));
    Files.writeString(share.resolve("file"), "content");
    Lab.own(Files.createDirectory(folder.resolve("state")));
    Lab.own(Files.createDirectory(folder.resolve("run")));
    guest = Guest.start();
    host = guest.plugIn();
  }

  @AfterEach
  void stop() {
    try {
      guest.close();
    } finally {
      if (server != null) {
        server.close();
      }
      Installation.remove(folder);
    }
  }

  private static String[] join(String[] first, String... second) {
    var all = new ArrayList<>(Arrays.asList(first));
    all.addAll(Arrays.asList(second));
    return all.toArray(String[]::new);
  }

  private String[] serve(String address, String... options) {
    return join(
        options,
        "--state",
        folder.resolve("state").toString(),
        "--listen",
        address,
        "--share",
        share.toString());
  }

  private Command mount(String address, String... options) {
    var line =
        Installation.agent(
            join(
                new String[] {
                  "mount",
                  "--server",
                  address,
                  share.toString(),
                  folder.resolve("mnt").toString(),
                  "-o",
                  "timeout=5"
                },
                options));
    return guest.run(Duration.ofSeconds(40), line);
  }

  private void assertMounted() {
    assertEquals("content", guest.shell("cat " + folder.resolve("mnt/file")));
    guest
        .run(Duration.ofSeconds(40), Installation.agent("umount", folder.resolve("mnt").toString()))
        .expectSuccess();
  }

  private void assertRefused(Command mount) {
    assertTrue(mount.status() == 1 || mount.status() == 2, mount.said());
    assertFalse(mount.said().contains("\tat "), mount.said());
    assertNotEquals(0, guest.run("mountpoint", "-q", folder.resolve("mnt").toString()).status());
  }

  @Test
  void clientCertificateOfTheRightAuthorityIsLetIn() throws IOException {
    var ours = Certificates.authority(folder.resolve("ours"));
    ours.sign("server", "IP:" + host);
    ours.sign("guest", "DNS:guest");
    var others = Certificates.authority(folder.resolve("others"));
    others.sign("guest", "DNS:guest");
    others.sign("server", "IP:" + host);
    var address = "tcp:" + host + ":" + Ports.free();
    server = Server.start(serve(address, ours.options("server")));

    mount(address, ours.options("guest")).expectSuccess();
    assertMounted();

    // A certificate that another authority signed.
    assertRefused(
        mount(
            address,
            "--tls-cert",
            others.certificate("guest").toString(),
            "--tls-key",
            others.key("guest").toString(),
            "--tls-ca",
            ours.ca().toString()));
    // A server that we have no reason to trust.
    assertRefused(
        mount(
            address,
            "--tls-cert",
            ours.certificate("guest").toString(),
            "--tls-key",
            ours.key("guest").toString(),
            "--tls-ca",
            others.ca().toString()));
    // No certificate at all, and no TLS at all.
    assertRefused(mount(address, "--tls-ca", ours.ca().toString()));
    assertRefused(mount(address));
    assertRefused(mount(address, "--insecure-loopback"));
    assertRawConnectionGetsNothing(address);
    assertOlderTlsIsRefused(address, ours);

    mount(address, ours.options("guest")).expectSuccess();
    assertMounted();
  }

  /** HTTP/2 in plain text to the TLS port: not one byte of HTTP/2 comes back. */
  private void assertRawConnectionGetsNothing(String address) {
    var said =
        guest
            .run(
                "python3",
                "-c",
                """
                import socket, sys
                s = socket.create_connection(sys.argv[1].rsplit(':', 1), 10)
                s.settimeout(20)
                s.sendall(b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n' + bytes(9))
                got = b''
                try:
                    while chunk := s.recv(4096): got += chunk
                except ConnectionResetError: pass
                print('closed' if len(got) < 20 and not got.startswith(b'\\0\\0') else got)
                """,
                address.substring("tcp:".length()))
            .expectSuccess();
    assertEquals("closed", said);
  }

  private void assertOlderTlsIsRefused(String address, Certificates ours) {
    var connect =
        "openssl s_client -connect %s %s -alpn h2 -CAfile %s -cert %s -key %s -verify_return_error </dev/null"
            .formatted(
                address.substring("tcp:".length()),
                "%s",
                ours.ca(),
                ours.certificate("guest"),
                ours.key("guest"));
    guest.shell(connect.formatted("-tls1_3"));
    guest.run("sh", "-c", connect.formatted("-tls1_2")).expectFailure();
  }

  @Test
  void clientWithoutACertificateNeverGetsAsFarAsASession() throws IOException {
    var ours = Certificates.authority(folder.resolve("ours"));
    ours.sign("server", "IP:" + host);
    var address = "tcp:" + host + ":" + Ports.free();
    server = Server.start(serve(address, ours.options("server")));
    // TLS 1.3 tells a client of its missing certificate only after the handshake.
    var said =
        guest
            .run(
                "sh",
                "-c",
                "(printf 'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'; cat /run/never) 2>/dev/null | openssl s_client -connect %s -tls1_3 -alpn h2 -CAfile %s -quiet"
                    .formatted(address.substring("tcp:".length()), ours.ca()))
            .said();
    assertTrue(said.contains("certificate required"), said);
    assertFalse(server.log().contains("session begins"), server.log());
  }

  @Test
  void plaintextTakesAFlagAndLoopback() throws IOException {
    int port = Ports.free();
    for (var arguments :
        List.of(
            serve("tcp:127.0.0.1:" + port),
            serve("tcp:" + host + ":" + port, "--insecure-loopback"),
            serve("tcp:0.0.0.0:" + port, "--insecure-loopback"))) {
      var refused = Server.command(join(new String[] {"serve"}, arguments));
      assertTrue(refused.status() == 1 || refused.status() == 2, refused.said());
      assertTrue(refused.said().contains("--tls-cert"), refused.said());
    }
    server = Server.start(serve("tcp:127.0.0.1:" + port, "--insecure-loopback"));
  }

  /** Even where the socket's own mode lets everyone in. */
  @Test
  void otherUsersAreRefusedByPeerCredentials() throws IOException {
    var socket = folder.resolve("run/sock");
    server = Server.start(serve("unix:" + socket));
    Command.run("chmod", "777", socket.getParent().toString(), socket.toString()).expectSuccess();
    assertEquals("welcome", attachAs(Server.UID, socket));
    assertEquals("welcome", attachAs(0, socket));
    var refused = attachAs(4711, socket);
    assertTrue(refused.equals("PERMISSION_DENIED") || refused.equals("UNAVAILABLE"), refused);
    var log = server.log();
    assertTrue(log.contains("4711"), "the refusal is logged: " + log);
  }

  /** Opens a session as this user from a process of its own; answers "welcome" or the status. */
  private String attachAs(int uid, Path socket) throws IOException {
    var classes = Path.of("target/test-classes").toAbsolutePath();
    var copy = folder.resolve("classes");
    Command.run("cp", "-r", classes.toString(), copy.toString()).expectSuccess();
    Command.run("chmod", "-R", "a+rX", copy.toString()).expectSuccess();
    return Command.run(
            "setpriv",
            "--reuid=" + uid,
            "--regid=" + uid,
            "--clear-groups",
            "--",
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
            "-cp",
            copy + ":" + Installation.prefix().resolve("lib/guest-agent/*"),
            AttachProbe.class.getName(),
            socket.toString())
        .expectSuccess();
  }

  /** A cut network is noticed; the mount comes back with it. */
  @Test
  void cutNetworkGivesErrorsInTimeAndHeals() throws IOException {
    var ours = Certificates.authority(folder.resolve("ours"));
    ours.sign("server", "IP:" + host);
    ours.sign("guest", "DNS:guest");
    var address = "tcp:" + host + ":" + Ports.free();
    server = Server.start(serve(address, ours.options("server")));
    mount(address, ours.options("guest")).expectSuccess();
    var file = folder.resolve("mnt/file").toString();
    assertEquals("content", guest.shell("cat " + file));
    guest.unplug();
    var failed = guest.run(Duration.ofSeconds(60), List.of("cat", file));
    assertNotEquals(0, failed.status(), failed.said());
    guest.plugInAgain();
    guest.shell(
        Duration.ofSeconds(60),
        "until [ \"$(cat %s 2>/dev/null)\" = content ]; do :; done".formatted(file));
  }
}
