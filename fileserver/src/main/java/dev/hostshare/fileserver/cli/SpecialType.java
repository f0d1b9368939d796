package dev.hostshare.fileserver.cli;

import dev.hostshare.proto.Linux;

/** Special files as ls shows them. */
final class SpecialType {
  private SpecialType() {}

  /** {@code device=c:1:3}, {@code fifo}, {@code socket}. */
  static String describe(int type, long rdev) {
    return switch (type) {
      case Linux.S_IFCHR -> "device=c:" + numbers(rdev);
      case Linux.S_IFBLK -> "device=b:" + numbers(rdev);
      case Linux.S_IFIFO -> "fifo";
      case Linux.S_IFSOCK -> "socket";
      default -> String.format("type=%o", type);
    };
  }

  /** The inverse of makedev(3). */
  private static String numbers(long rdev) {
    long major = (rdev >>> 8 & 0xfff) | (rdev >>> 32 & ~0xfffL);
    long minor = (rdev & 0xff) | (rdev >>> 12 & ~0xffL);
    return major + ":" + (minor & 0xffff_ffffL);
  }
}
