package dev.hostshare.agent.fs;

import dev.hostshare.proto.Errno;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Maps the server's directory cookies (any 64 bits) to what the kernel takes as a directory offset,
 * and back. One for each directory. Thread-safe.
 *
 * <p>A directory offset is a loff_t that lseek(2) refuses if negative, and the agent adds "." and
 * "..", which need offsets that the server's cookies cannot take. So: 0 is the start, 1 is after
 * ".", 2 is after ".." and thus the server's 0, and server cookie c is c + 2. The few cookies for
 * which that would leave the non-negative range, or come near its end, get the values at the end,
 * one after the other, and are remembered for as long as the kernel knows the directory.
 */
final class Cookies {
  static final long START = 0;
  static final long AFTER_DOT = 1;
  static final long AFTER_DOT_DOT = 2;

  /** 2^20 values at the end of the range. ext4's 63-bit hashes fall there once in 2^43. */
  private static final int RESERVED = 1 << 20;

  private static final long FIRST_RESERVED = Long.MAX_VALUE - RESERVED + 1;

  /** Made with the first odd one: few file systems have any. */
  private List<Long> odd = List.of();

  private Map<Long, Long> offsets = Map.of();

  /**
   * The offset that stands for {@code cookie}.
   *
   * @throws ErrnoException EOVERFLOW if there are more odd cookies than values for them
   */
  synchronized long toOffset(long cookie) throws ErrnoException {
    if (cookie >= 0 && cookie < FIRST_RESERVED - AFTER_DOT_DOT) {
      return cookie + AFTER_DOT_DOT;
    }
    Long known = offsets.get(cookie);
    if (known != null) {
      return known;
    }
    if (odd.size() == RESERVED) {
      throw new ErrnoException(Errno.EOVERFLOW);
    }
    if (odd.isEmpty()) {
      odd = new ArrayList<>();
      offsets = new HashMap<>();
    }
    long offset = FIRST_RESERVED + odd.size();
    odd.add(cookie);
    offsets.put(cookie, offset);
    return offset;
  }

  /**
   * The server's cookie for an offset of {@value #AFTER_DOT_DOT} or more.
   *
   * @throws ErrnoException EINVAL for an offset that was never given out
   */
  synchronized long toCookie(long offset) throws ErrnoException {
    if (offset >= AFTER_DOT_DOT && offset < FIRST_RESERVED) {
      return offset - AFTER_DOT_DOT;
    }
    long index = offset - FIRST_RESERVED;
    if (offset < 0 || index >= odd.size()) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return odd.get((int) index);
  }
}
