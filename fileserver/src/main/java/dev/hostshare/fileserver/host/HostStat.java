package dev.hostshare.fileserver.host;

import dev.hostshare.proto.Linux;

/**
 * What statx(2) says of a file. Times are seconds and nanoseconds since the epoch; {@code blocks}
 * are of 512 bytes; device numbers are packed as makedev(3).
 */
public record HostStat(
    long dev,
    long inode,
    int mode,
    int nlink,
    int uid,
    int gid,
    long rdev,
    long size,
    long blocks,
    int blksize,
    Time atime,
    Time mtime,
    Time ctime,
    Time btime) {

  /** Seconds since the epoch (may be negative) and 0 to 999,999,999 nanoseconds. */
  public record Time(long sec, int nsec) {
    /** What a file system without birth times gives. */
    public static final Time NONE = new Time(0, 0);

    /** As one number; wraps after the year 2262, which an identity can stand. */
    public long nanos() {
      return sec * 1_000_000_000L + nsec;
    }
  }

  public int type() {
    return mode & Linux.S_IFMT;
  }

  public boolean isDirectory() {
    return type() == Linux.S_IFDIR;
  }

  public boolean isRegular() {
    return type() == Linux.S_IFREG;
  }

  public boolean isSymlink() {
    return type() == Linux.S_IFLNK;
  }
}
