package dev.hostshare.agent.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ServerAddressTest {
  @Test
  void readsUnixSockets() {
    assertEquals(
        new ServerAddress.Unix(Path.of("/run/a b.sock")),
        ServerAddress.parse("unix:/run/a b.sock"));
  }

  @Test
  void readsNamesAndAddressesAndWritesThemBack() {
    assertEquals(new ServerAddress.Tcp("host.lan", 1234), ServerAddress.parse("tcp:host.lan:1234"));
    assertEquals(new ServerAddress.Tcp("::1", 1234), ServerAddress.parse("tcp:[::1]:1234"));
    assertEquals("tcp:[::1]:1234", ServerAddress.parse("tcp:[::1]:1234").toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "unix:", "tcp:", "tcp:host", "tcp::1", "tcp:host:0", "tcp:host:70000", "x:y"})
  void refusesWhatIsNoAddress(String text) {
    var e = assertThrows(IllegalArgumentException.class, () -> ServerAddress.parse(text));
    assertTrue(e.getMessage().contains("unix:PATH or tcp:HOST:PORT"), e.getMessage());
  }

  @Test
  void allowsPlaintextOnLoopbackOnlyAndOnlyWhenAskedTo() {
    var insecure = new TransportSecurity(null, null, null, true);

    insecure.check(ServerAddress.parse("tcp:127.0.0.1:1"));
    insecure.check(ServerAddress.parse("tcp:[::1]:1"));
    TransportSecurity.NONE.check(ServerAddress.parse("unix:/s"));

    assertThrows(
        IllegalArgumentException.class,
        () -> TransportSecurity.NONE.check(ServerAddress.parse("tcp:127.0.0.1:1")));
    for (String remote : new String[] {"tcp:10.0.0.1:1", "tcp:127.evil.example:1", "tcp:host:1"}) {
      assertThrows(
          IllegalArgumentException.class, () -> insecure.check(ServerAddress.parse(remote)));
    }
  }

  @Test
  void wantsAllThreeTlsFiles() {
    var half = new TransportSecurity(Path.of("/cert"), null, null, false);
    assertThrows(
        IllegalArgumentException.class, () -> half.check(ServerAddress.parse("tcp:host:1")));
  }
}
