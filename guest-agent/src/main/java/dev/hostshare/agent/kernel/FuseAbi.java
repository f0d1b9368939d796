package dev.hostshare.agent.kernel;

/**
 * Numbers of the FUSE protocol: operation codes, flags, and where the fields of its structures lie,
 * in bytes from their start. All integers are in the machine's byte order.
 *
 * <p>Source: {@code include/uapi/linux/fuse.h} of Linux 6.18, protocol 7.45. A structure is named
 * as there, without {@code fuse_}.
 */
final class FuseAbi {
  static final int MAJOR = 7;

  /** The newest minor that we know all about. */
  static final int MINOR = 45;

  /** 4.20: the oldest with FUSE_MAX_PAGES was 7.28; 7.31 came with 5.4. */
  static final int MIN_MINOR = 31;

  static final long ROOT_ID = 1;

  /** FUSE_INVALID_UIDGID: the kernel does not tell who asks (idmapped mounts). */
  static final int INVALID_ID = -1;

  static final int LOOKUP = 1;
  static final int FORGET = 2;
  static final int GETATTR = 3;
  static final int SETATTR = 4;
  static final int READLINK = 5;
  static final int SYMLINK = 6;
  static final int MKNOD = 8;
  static final int MKDIR = 9;
  static final int UNLINK = 10;
  static final int RMDIR = 11;
  static final int RENAME = 12;
  static final int LINK = 13;
  static final int OPEN = 14;
  static final int READ = 15;
  static final int WRITE = 16;
  static final int STATFS = 17;
  static final int RELEASE = 18;
  static final int FSYNC = 20;
  static final int SETXATTR = 21;
  static final int GETXATTR = 22;
  static final int LISTXATTR = 23;
  static final int REMOVEXATTR = 24;
  static final int FLUSH = 25;
  static final int INIT = 26;
  static final int OPENDIR = 27;
  static final int READDIR = 28;
  static final int RELEASEDIR = 29;
  static final int FSYNCDIR = 30;
  static final int GETLK = 31;
  static final int SETLK = 32;
  static final int SETLKW = 33;
  static final int ACCESS = 34;
  static final int CREATE = 35;
  static final int INTERRUPT = 36;
  static final int DESTROY = 38;
  static final int BATCH_FORGET = 42;
  static final int FALLOCATE = 43;
  static final int READDIRPLUS = 44;
  static final int RENAME2 = 45;
  static final int LSEEK = 46;
  static final int COPY_FILE_RANGE = 47;
  static final int SYNCFS = 50;
  static final int TMPFILE = 51;
  static final int STATX = 52;
  static final int COPY_FILE_RANGE_64 = 53;

  static final int NOTIFY_INVAL_INODE = 2;
  static final int NOTIFY_INVAL_ENTRY = 3;
  static final int NOTIFY_STORE = 4;
  static final int NOTIFY_PRUNE = 9;

  static final int FATTR_MODE = 1;
  static final int FATTR_UID = 1 << 1;
  static final int FATTR_GID = 1 << 2;
  static final int FATTR_SIZE = 1 << 3;
  static final int FATTR_ATIME = 1 << 4;
  static final int FATTR_MTIME = 1 << 5;
  static final int FATTR_FH = 1 << 6;
  static final int FATTR_ATIME_NOW = 1 << 7;
  static final int FATTR_MTIME_NOW = 1 << 8;
  static final int FATTR_KILL_SUIDGID = 1 << 11;

  static final int FOPEN_KEEP_CACHE = 1 << 1;

  /** Of a notification about an entry: ask about it at its next use, rather than drop it. */
  static final int EXPIRE_ONLY = 1;

  static final int FOPEN_CACHE_DIR = 1 << 3;

  static final int GETATTR_FH = 1;
  static final int LK_FLOCK = 1;
  static final int OPEN_KILL_SUIDGID = 1;
  static final int RELEASE_FLOCK_UNLOCK = 1 << 1;
  static final int WRITE_KILL_SUIDGID = 1 << 2;
  static final int FSYNC_FDATASYNC = 1;
  static final int SETXATTR_ACL_KILL_SGID = 1;

  static final int STATX_BASIC_STATS = 0x7ff;
  static final int STATX_BTIME = 0x800;

  private FuseAbi() {}

  /** Flags of FUSE_INIT; those from bit 32 on travel in {@code flags2}. */
  static final class InitFlags {
    static final long ASYNC_READ = 1;
    static final long POSIX_LOCKS = 1L << 1;
    static final long ATOMIC_O_TRUNC = 1L << 3;
    static final long BIG_WRITES = 1L << 5;
    static final long DONT_MASK = 1L << 6;
    static final long FLOCK_LOCKS = 1L << 10;
    static final long AUTO_INVAL_DATA = 1L << 12;
    static final long DO_READDIRPLUS = 1L << 13;
    static final long READDIRPLUS_AUTO = 1L << 14;
    static final long ASYNC_DIO = 1L << 15;
    static final long PARALLEL_DIROPS = 1L << 18;
    static final long POSIX_ACL = 1L << 20;
    static final long MAX_PAGES = 1L << 22;
    static final long CACHE_SYMLINKS = 1L << 23;
    static final long EXPLICIT_INVAL_DATA = 1L << 25;
    static final long HANDLE_KILLPRIV_V2 = 1L << 28;
    static final long SETXATTR_EXT = 1L << 29;
    static final long INIT_EXT = 1L << 30;
    static final long HAS_EXPIRE_ONLY = 1L << 35;
    static final long ALLOW_IDMAP = 1L << 40;

    private InitFlags() {}
  }

  static final class InHeader {
    static final int LEN = 0;
    static final int OPCODE = 4;
    static final int UNIQUE = 8;
    static final int NODEID = 16;
    static final int UID = 24;
    static final int GID = 28;
    static final int PID = 32;

    /** Length of the extensions at the end of the request, in units of 8 bytes; u16. */
    static final int TOTAL_EXTLEN = 36;

    static final int SIZE = 40;

    private InHeader() {}
  }

  static final class OutHeader {
    static final int LEN = 0;
    static final int ERROR = 4;
    static final int UNIQUE = 8;
    static final int SIZE = 16;

    private OutHeader() {}
  }

  static final class InitIn {
    static final int MAJOR = 0;
    static final int MINOR = 4;
    static final int MAX_READAHEAD = 8;
    static final int FLAGS = 12;
    static final int FLAGS2 = 16;

    private InitIn() {}
  }

  static final class InitOut {
    static final int MAJOR = 0;
    static final int MINOR = 4;
    static final int MAX_READAHEAD = 8;
    static final int FLAGS = 12;
    static final int MAX_BACKGROUND = 16;
    static final int CONGESTION_THRESHOLD = 18;
    static final int MAX_WRITE = 20;
    static final int TIME_GRAN = 24;
    static final int MAX_PAGES = 28;
    static final int FLAGS2 = 32;
    static final int SIZE = 64;

    private InitOut() {}
  }

  static final class ForgetIn {
    static final int NLOOKUP = 0;

    private ForgetIn() {}
  }

  static final class BatchForgetIn {
    static final int COUNT = 0;
    static final int SIZE = 8;

    /** forget_one: nodeid, nlookup. */
    static final int ONE_SIZE = 16;

    private BatchForgetIn() {}
  }

  static final class GetattrIn {
    static final int FLAGS = 0;
    static final int FH = 8;

    private GetattrIn() {}
  }

  static final class SetattrIn {
    static final int VALID = 0;
    static final int FH = 8;
    static final int SIZE = 16;
    static final int ATIME = 32;
    static final int MTIME = 40;
    static final int ATIMENSEC = 56;
    static final int MTIMENSEC = 60;
    static final int MODE = 68;
    static final int UID = 76;
    static final int GID = 80;

    private SetattrIn() {}
  }

  static final class MknodIn {
    static final int MODE = 0;
    static final int RDEV = 4;
    static final int UMASK = 8;
    static final int SIZE = 16;

    private MknodIn() {}
  }

  static final class MkdirIn {
    static final int MODE = 0;
    static final int UMASK = 4;
    static final int SIZE = 8;

    private MkdirIn() {}
  }

  static final class RenameIn {
    static final int NEWDIR = 0;
    static final int SIZE = 8;

    private RenameIn() {}
  }

  static final class Rename2In {
    static final int NEWDIR = 0;
    static final int FLAGS = 8;
    static final int SIZE = 16;

    private Rename2In() {}
  }

  static final class LinkIn {
    static final int OLDNODEID = 0;
    static final int SIZE = 8;

    private LinkIn() {}
  }

  static final class OpenIn {
    static final int FLAGS = 0;
    static final int OPEN_FLAGS = 4;

    private OpenIn() {}
  }

  static final class CreateIn {
    static final int FLAGS = 0;
    static final int MODE = 4;
    static final int UMASK = 8;
    static final int OPEN_FLAGS = 12;
    static final int SIZE = 16;

    private CreateIn() {}
  }

  static final class ReleaseIn {
    static final int FH = 0;
    static final int RELEASE_FLAGS = 12;
    static final int LOCK_OWNER = 16;

    private ReleaseIn() {}
  }

  static final class FlushIn {
    static final int FH = 0;
    static final int LOCK_OWNER = 16;

    private FlushIn() {}
  }

  static final class ReadIn {
    static final int FH = 0;
    static final int OFFSET = 8;
    static final int SIZE = 16;

    private ReadIn() {}
  }

  static final class WriteIn {
    static final int FH = 0;
    static final int OFFSET = 8;
    static final int SIZE = 16;
    static final int WRITE_FLAGS = 20;
    static final int STRUCT_SIZE = 40;

    private WriteIn() {}
  }

  static final class FsyncIn {
    static final int FH = 0;
    static final int FSYNC_FLAGS = 8;

    private FsyncIn() {}
  }

  /** With FUSE_SETXATTR_EXT; without it the structure ends after FLAGS. */
  static final class SetxattrIn {
    static final int SIZE = 0;
    static final int FLAGS = 4;
    static final int SETXATTR_FLAGS = 8;
    static final int COMPAT_STRUCT_SIZE = 8;
    static final int STRUCT_SIZE = 16;

    private SetxattrIn() {}
  }

  static final class GetxattrIn {
    static final int SIZE = 0;
    static final int STRUCT_SIZE = 8;

    private GetxattrIn() {}
  }

  static final class LkIn {
    static final int FH = 0;
    static final int OWNER = 8;
    static final int START = 16;
    static final int END = 24;
    static final int TYPE = 32;
    static final int PID = 36;
    static final int LK_FLAGS = 40;

    private LkIn() {}
  }

  static final class AccessIn {
    static final int MASK = 0;

    private AccessIn() {}
  }

  static final class InterruptIn {
    static final int UNIQUE = 0;

    private InterruptIn() {}
  }

  static final class FallocateIn {
    static final int FH = 0;
    static final int OFFSET = 8;
    static final int LENGTH = 16;
    static final int MODE = 24;

    private FallocateIn() {}
  }

  static final class LseekIn {
    static final int FH = 0;
    static final int OFFSET = 8;
    static final int WHENCE = 16;

    private LseekIn() {}
  }

  static final class CopyFileRangeIn {
    static final int FH_IN = 0;
    static final int OFF_IN = 8;
    static final int FH_OUT = 24;
    static final int OFF_OUT = 32;
    static final int LEN = 40;
    static final int FLAGS = 48;

    private CopyFileRangeIn() {}
  }

  static final class StatxIn {
    static final int GETATTR_FLAGS = 0;
    static final int FH = 8;

    private StatxIn() {}
  }

  static final class Attr {
    static final int INO = 0;
    static final int SIZE = 8;
    static final int BLOCKS = 16;
    static final int ATIME = 24;
    static final int MTIME = 32;
    static final int CTIME = 40;
    static final int ATIMENSEC = 48;
    static final int MTIMENSEC = 52;
    static final int CTIMENSEC = 56;
    static final int MODE = 60;
    static final int NLINK = 64;
    static final int UID = 68;
    static final int GID = 72;
    static final int RDEV = 76;
    static final int BLKSIZE = 80;
    static final int STRUCT_SIZE = 88;

    private Attr() {}
  }

  static final class EntryOut {
    static final int NODEID = 0;
    static final int ENTRY_VALID = 16;
    static final int ATTR_VALID = 24;
    static final int ENTRY_VALID_NSEC = 32;
    static final int ATTR_VALID_NSEC = 36;
    static final int ATTR = 40;
    static final int SIZE = ATTR + Attr.STRUCT_SIZE;

    private EntryOut() {}
  }

  static final class AttrOut {
    static final int ATTR_VALID = 0;
    static final int ATTR_VALID_NSEC = 8;
    static final int ATTR = 16;
    static final int SIZE = ATTR + Attr.STRUCT_SIZE;

    private AttrOut() {}
  }

  static final class OpenOut {
    static final int FH = 0;
    static final int OPEN_FLAGS = 8;
    static final int SIZE = 16;

    private OpenOut() {}
  }

  static final class StatfsOut {
    static final int BLOCKS = 0;
    static final int BFREE = 8;
    static final int BAVAIL = 16;
    static final int FILES = 24;
    static final int FFREE = 32;
    static final int BSIZE = 40;
    static final int NAMELEN = 44;
    static final int FRSIZE = 48;
    static final int SIZE = 80;

    private StatfsOut() {}
  }

  /** write_out, getxattr_out: a u32 and padding. lseek_out, copy_file_range_out: a u64. */
  static final int ONE_NUMBER_SIZE = 8;

  static final class LkOut {
    static final int START = 0;
    static final int END = 8;
    static final int TYPE = 16;
    static final int PID = 20;
    static final int SIZE = 24;

    private LkOut() {}
  }

  static final class StatxOut {
    static final int ATTR_VALID = 0;
    static final int ATTR_VALID_NSEC = 8;

    /** struct fuse_statx, which is laid out as statx(2)'s. */
    static final int STAT = 32;

    static final int MASK = STAT;
    static final int BLKSIZE = STAT + 4;
    static final int NLINK = STAT + 16;
    static final int UID = STAT + 20;
    static final int GID = STAT + 24;

    /** u16. */
    static final int MODE = STAT + 28;

    static final int INO = STAT + 32;
    static final int FILE_SIZE = STAT + 40;
    static final int BLOCKS = STAT + 48;
    static final int ATIME = STAT + 64;
    static final int BTIME = STAT + 80;
    static final int CTIME = STAT + 96;
    static final int MTIME = STAT + 112;
    static final int RDEV_MAJOR = STAT + 128;
    static final int RDEV_MINOR = STAT + 132;
    static final int SIZE = STAT + 256;

    private StatxOut() {}
  }

  static final class Dirent {
    static final int INO = 0;
    static final int OFF = 8;
    static final int NAMELEN = 16;
    static final int TYPE = 20;
    static final int NAME = 24;

    /** Bytes that an entry with a name of {@code nameBytes} takes: padded to 8. */
    static int size(int nameBytes) {
      return (NAME + nameBytes + 7) & ~7;
    }

    private Dirent() {}
  }

  static final class NotifyInvalInodeOut {
    static final int INO = 0;
    static final int OFF = 8;
    static final int LEN = 16;
    static final int SIZE = 24;

    private NotifyInvalInodeOut() {}
  }

  static final class NotifyStoreOut {
    static final int NODEID = 0;
    static final int OFFSET = 8;
    static final int LENGTH = 16;
    static final int SIZE = 24;

    private NotifyStoreOut() {}
  }

  /** Followed by as many numbers of inodes, 8 bytes each. */
  static final class NotifyPruneOut {
    static final int COUNT = 0;
    static final int SIZE = 16;

    private NotifyPruneOut() {}
  }

  static final class NotifyInvalEntryOut {
    static final int PARENT = 0;
    static final int NAMELEN = 8;
    static final int FLAGS = 12;
    static final int NAME = 16;

    private NotifyInvalEntryOut() {}
  }
}
