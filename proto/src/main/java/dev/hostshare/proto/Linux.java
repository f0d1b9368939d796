package dev.hostshare.proto;

/**
 * Numbers of Linux's system-call interface that travel on the wire, as x86-64 and arm64 share them
 * unless noted.
 *
 * <p>Source: {@code include/uapi/linux/stat.h}, {@code fcntl.h}, {@code fs.h}, {@code falloc.h},
 * {@code xattr.h}.
 */
public final class Linux {
  public static final int S_IFMT = 0170000;
  public static final int S_IFSOCK = 0140000;
  public static final int S_IFLNK = 0120000;
  public static final int S_IFREG = 0100000;
  public static final int S_IFBLK = 0060000;
  public static final int S_IFDIR = 0040000;
  public static final int S_IFCHR = 0020000;
  public static final int S_IFIFO = 0010000;
  public static final int S_ISUID = 04000;
  public static final int S_ISGID = 02000;
  public static final int S_ISVTX = 01000;

  /** Permission bits with setuid, setgid and sticky: what chmod(2) sets. */
  public static final int PERMISSIONS = 07777;

  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_ACCMODE = 3;
  public static final int O_CREAT = 0100;
  public static final int O_EXCL = 0200;
  public static final int O_NOCTTY = 0400;
  public static final int O_TRUNC = 01000;
  public static final int O_APPEND = 02000;
  public static final int O_NONBLOCK = 04000;
  public static final int O_DSYNC = 010000;

  /** x86-64's value; arm64 hosts translate. */
  public static final int O_DIRECT = 040000;

  public static final int O_LARGEFILE = 0100000;

  /** x86-64's value; arm64 hosts translate. */
  public static final int O_DIRECTORY = 0200000;

  /** x86-64's value; arm64 hosts translate. */
  public static final int O_NOFOLLOW = 0400000;

  public static final int O_NOATIME = 01000000;
  public static final int O_CLOEXEC = 02000000;
  public static final int O_SYNC = 04010000;
  public static final int O_PATH = 010000000;

  /** x86-64's value, O_DIRECTORY included. */
  public static final int O_TMPFILE = 020200000;

  public static final int RENAME_NOREPLACE = 1;
  public static final int RENAME_EXCHANGE = 2;
  public static final int RENAME_WHITEOUT = 4;

  public static final int XATTR_CREATE = 1;
  public static final int XATTR_REPLACE = 2;

  public static final int FALLOC_FL_KEEP_SIZE = 0x01;
  public static final int FALLOC_FL_PUNCH_HOLE = 0x02;
  public static final int FALLOC_FL_COLLAPSE_RANGE = 0x08;
  public static final int FALLOC_FL_ZERO_RANGE = 0x10;
  public static final int FALLOC_FL_INSERT_RANGE = 0x20;

  public static final int SEEK_DATA = 3;
  public static final int SEEK_HOLE = 4;

  public static final int F_RDLCK = 0;
  public static final int F_WRLCK = 1;
  public static final int F_UNLCK = 2;

  public static final int R_OK = 4;
  public static final int W_OK = 2;
  public static final int X_OK = 1;

  /** NAME_MAX: bytes of one path component. */
  public static final int NAME_MAX = 255;

  /** XATTR_LIST_MAX: bytes of all names of a file's attributes, each with its NUL. */
  public static final int XATTR_LIST_MAX = 65536;

  /** XATTR_SIZE_MAX: bytes of one extended attribute's value. */
  public static final int XATTR_SIZE_MAX = 65536;

  private Linux() {}

  /** Packs a device number as the kernel's 64-bit dev_t in stat (glibc's makedev). */
  public static long makedev(long major, long minor) {
    return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xffL) << 12 | (major & ~0xfffL) << 32;
  }
}
