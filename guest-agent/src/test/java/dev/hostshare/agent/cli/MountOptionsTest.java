package dev.hostshare.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.agent.kernel.MountFlags;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MountOptionsTest {
  @Test
  void sortsFlagsFromOurOptionsAndIgnoresWhatIsMount8sBusiness() {
    var options =
        MountOptions.parse(
            List.of(
                "defaults,_netdev,nofail,x-systemd.requires=docker.service,user,ro",
                "timeout=5,driver=jnr,noatime"));
    assertEquals(List.of("ro", "noatime"), options.flags());
    assertEquals(Duration.ofSeconds(5), options.timeout(Duration.ZERO));
    assertEquals("jnr", options.value("driver").orElseThrow());
  }

  @Test
  void letsALaterFlagOverrideAnEarlierOne() {
    assertEquals(MountFlags.MS_RDONLY, MountFlags.of(List.of("rw", "ro")));
    assertEquals(0, MountFlags.of(List.of("ro", "nosuid", "rw", "suid")));
  }

  @Test
  void namesAnOptionThatNobodyKnows() {
    var e =
        assertThrows(
            IllegalArgumentException.class, () -> MountOptions.parse(List.of("ro,frobnicate=1")));
    assertTrue(e.getMessage().contains("frobnicate=1"), e.getMessage());
  }

  @Test
  void refusesATimeoutThatIsNone() {
    for (String bad : new String[] {"timeout", "timeout=0", "timeout=x", "timeout=-1"}) {
      var options = MountOptions.parse(List.of(bad));
      assertThrows(IllegalArgumentException.class, () -> options.timeout(Duration.ofSeconds(20)));
    }
  }

  @Test
  void writesAnyPathAsJson() {
    assertEquals("\"a\\\"b\\\\c\\u000ad\"", MountStatus.quote("a\"b\\c\nd"));
  }
}
