package dev.hostshare.test.posix;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * An entry as getdents64(2) gives it.
 *
 * @param next the directory's position right after this entry, for {@link Fd#seek}
 * @param type {@code DT_...}: the type bits of a mode, shifted right by 12; 0 if not known
 */
public record Dirent(long ino, long next, int type, String name) {
  /** Reads {@code struct linux_dirent64}s that fill the first {@code length} bytes. */
  static List<Dirent> parse(MemorySegment buffer, long length) {
    var entries = new ArrayList<Dirent>();
    for (long at = 0; at < length; ) {
      entries.add(
          new Dirent(
              buffer.get(ValueLayout.JAVA_LONG_UNALIGNED, at),
              buffer.get(ValueLayout.JAVA_LONG_UNALIGNED, at + 8),
              buffer.get(ValueLayout.JAVA_BYTE, at + 18),
              buffer.getString(at + 19, ISO_8859_1)));
      at += Short.toUnsignedInt(buffer.get(ValueLayout.JAVA_SHORT_UNALIGNED, at + 16));
    }
    return entries;
  }

  public boolean isDots() {
    return name.equals(".") || name.equals("..");
  }
}
