package dev.hostshare.test.posix;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * What statfs(2) says.
 *
 * @param blocks in units of {@code bsize}
 */
public record Statfs(
    long type,
    long bsize,
    long blocks,
    long bfree,
    long bavail,
    long files,
    long ffree,
    long namelen) {
  static final int BYTES = 120;

  static Statfs of(MemorySegment statfs) {
    return new Statfs(
        statfs.get(JAVA_LONG, 0),
        statfs.get(JAVA_LONG, 8),
        statfs.get(JAVA_LONG, 16),
        statfs.get(JAVA_LONG, 24),
        statfs.get(JAVA_LONG, 32),
        statfs.get(JAVA_LONG, 40),
        statfs.get(JAVA_LONG, 48),
        statfs.get(JAVA_LONG, 64));
  }
}
