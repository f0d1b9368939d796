package dev.hostshare.test.posix;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

/** Byte strings as path names (see the package). */
public final class Names {
  private Names() {}

  /** The UTF-8 bytes of text, one char each. */
  public static String utf8(String text) {
    return new String(text.getBytes(UTF_8), ISO_8859_1);
  }

  /** A name of so many bytes. */
  public static String ofLength(int bytes) {
    return "n".repeat(bytes);
  }
}
