package dev.hostshare.agent.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class CookiesTest {
  private final Cookies cookies = new Cookies();

  @Test
  void mapsEveryCookieToAnOffsetOfItsOwnAndBack() throws Exception {
    // Small numbers (tmpfs), hashes (ext4), its end of directory, XFS's, and what nobody has yet.
    long[] all = {
      0,
      1,
      2,
      3,
      1 << 20,
      Integer.MAX_VALUE,
      1L << 40,
      0x7123_4567_89ab_cdefL,
      Long.MAX_VALUE,
      Long.MAX_VALUE - 1,
      Long.MAX_VALUE - 2,
      Long.MIN_VALUE,
      -1,
      -2
    };
    Set<Long> offsets = new HashSet<>();
    for (long cookie : all) {
      long offset = cookies.toOffset(cookie);
      assertTrue(offset >= Cookies.AFTER_DOT_DOT, "lseek refuses " + offset);
      assertTrue(offsets.add(offset), "given twice: " + offset);
    }
    for (long cookie : all) {
      assertEquals(cookie, cookies.toCookie(cookies.toOffset(cookie)));
    }
  }

  @Test
  void startsAfterDotDotWithTheServersStart() throws Exception {
    assertEquals(0, cookies.toCookie(Cookies.AFTER_DOT_DOT));
  }

  @Test
  void refusesOffsetsThatWereNeverGivenOut() {
    assertThrows(ErrnoException.class, () -> cookies.toCookie(Long.MAX_VALUE));
    assertThrows(ErrnoException.class, () -> cookies.toCookie(-5));
  }
}
