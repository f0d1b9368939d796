package dev.hostshare.test.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.hostshare.proto.Linux;
import java.lang.foreign.MemorySegment;

/**
 * What statx(2) says of a file.
 *
 * @param mode type and permission bits
 * @param blocks of 512 bytes
 * @param btime birth; zero where the file system has none
 * @param rdevMajor the device that a device node stands for
 * @param dev the device that holds the file, {@code major:minor}
 */
public record Stat(
    int mode,
    int nlink,
    int uid,
    int gid,
    long ino,
    long size,
    long blocks,
    Timespec atime,
    Timespec btime,
    Timespec ctime,
    Timespec mtime,
    int rdevMajor,
    int rdevMinor,
    String dev) {
  /** STATX_BASIC_STATS and STATX_BTIME. */
  static final int MASK = 0xfff;

  static final int BYTES = 256;

  /** Offsets of {@code struct statx}, {@code include/uapi/linux/stat.h}. */
  static Stat of(MemorySegment statx) {
    return new Stat(
        Short.toUnsignedInt(statx.get(JAVA_SHORT_UNALIGNED, 28)),
        statx.get(JAVA_INT_UNALIGNED, 16),
        statx.get(JAVA_INT_UNALIGNED, 20),
        statx.get(JAVA_INT_UNALIGNED, 24),
        statx.get(JAVA_LONG_UNALIGNED, 32),
        statx.get(JAVA_LONG_UNALIGNED, 40),
        statx.get(JAVA_LONG_UNALIGNED, 48),
        time(statx, 64),
        time(statx, 80),
        time(statx, 96),
        time(statx, 112),
        statx.get(JAVA_INT_UNALIGNED, 128),
        statx.get(JAVA_INT_UNALIGNED, 132),
        statx.get(JAVA_INT_UNALIGNED, 136) + ":" + statx.get(JAVA_INT_UNALIGNED, 140));
  }

  private static Timespec time(MemorySegment statx, long offset) {
    return new Timespec(
        statx.get(JAVA_LONG_UNALIGNED, offset), statx.get(JAVA_INT_UNALIGNED, offset + 8));
  }

  public int type() {
    return mode & Linux.S_IFMT;
  }

  public int permissions() {
    return mode & Linux.PERMISSIONS;
  }

  public boolean isDirectory() {
    return type() == Linux.S_IFDIR;
  }
}
