package dev.hostshare.fileserver.host;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * The host's file system, one component at a time. A name is one path component: 1 to 255 bytes,
 * neither {@code /} nor NUL among them, not {@code .} or {@code ..}; {@link #SELF} stands for the
 * descriptor itself. Descriptors are plain ints owned by the caller, who closes them.
 *
 * <p>Thread-safe. Every method throws the errno of the system call it is named after.
 */
public interface HostFs {
  /** The empty name: the file that the descriptor refers to. */
  byte[] SELF = new byte[0];

  /** Leaves a time as it is, in {@link #setTimes}. */
  HostStat.Time OMIT = new HostStat.Time(0, 0x3ffffffe);

  /** The host's clock, in {@link #setTimes}. */
  HostStat.Time NOW = new HostStat.Time(0, 0x3fffffff);

  /** Opens a folder that the user named: symlinks in {@code path} are followed. */
  int openNamed(Path path) throws ErrnoException;

  /**
   * Opens a share's root folder; ELOOP if there is a symlink in {@code path}, which is absolute.
   */
  int openRoot(Path path) throws ErrnoException;

  /** A location descriptor (O_PATH) of {@code name}, a symlink itself if it is one. */
  int openLocation(int dir, byte[] name) throws ErrnoException;

  /**
   * Opens a file or directory. {@code flags} are Linux's; never follows a symlink (ELOOP), never
   * waits for a FIFO's other end. O_CREAT uses {@code mode}.
   */
  int open(int dir, byte[] name, int flags, int mode) throws ErrnoException;

  /** Opens the inode behind a descriptor anew, with its own open file description. */
  int reopen(int fd, int flags) throws ErrnoException;

  void close(int fd);

  HostStat stat(int dir, byte[] name) throws ErrnoException;

  byte[] readlink(int dir, byte[] name) throws ErrnoException;

  void symlink(byte[] target, int dir, byte[] name) throws ErrnoException;

  void mkdir(int dir, byte[] name, int mode) throws ErrnoException;

  void unlink(int dir, byte[] name) throws ErrnoException;

  void rmdir(int dir, byte[] name) throws ErrnoException;

  void rename(int dir, byte[] name, int newDir, byte[] newName, int flags) throws ErrnoException;

  void link(int dir, byte[] name, int newDir, byte[] newName) throws ErrnoException;

  /** Gives the inode behind a descriptor a (further) name; also for an O_TMPFILE one. */
  void linkDescriptor(int fd, int newDir, byte[] newName) throws ErrnoException;

  /** Sets access and modification time; {@link #OMIT} and {@link #NOW} are understood. */
  void setTimes(int dir, byte[] name, HostStat.Time atime, HostStat.Time mtime)
      throws ErrnoException;

  void truncate(int fd, long size) throws ErrnoException;

  /** Reads into {@code buffer}; fewer bytes than its size only at the end of the file. */
  int read(int fd, MemorySegment buffer, long offset) throws ErrnoException;

  /** Writes all of {@code buffer}, or fewer bytes where the disk is full after some. */
  int write(int fd, MemorySegment buffer, long offset) throws ErrnoException;

  void fallocate(int fd, int mode, long offset, long length) throws ErrnoException;

  long seek(int fd, long offset, int whence) throws ErrnoException;

  /**
   * Has the first {@code length} bytes of a file read into the host's cache, soon. readahead(2).
   */
  void readAhead(int fd, long length) throws ErrnoException;

  long copyFileRange(int in, long inOffset, int out, long outOffset, long length)
      throws ErrnoException;

  void fsync(int fd, boolean dataOnly) throws ErrnoException;

  /** Lets the disk begin with what was written, and does not wait for it: sync_file_range(2). */
  void beginWriteBack(int fd, long offset, long length) throws ErrnoException;

  void syncfs(int fd) throws ErrnoException;

  StatVfs statfs(int fd) throws ErrnoException;

  /**
   * Reads the next batch of directory entries from the descriptor's position, {@code .} and {@code
   * ..} left out. False at the end.
   */
  boolean readDirectory(int fd, Consumer<DirEntry> sink) throws ErrnoException;

  /** Tries a lock of an open file description on a byte range. False on conflict. */
  boolean tryLock(int fd, int type, long start, long end) throws ErrnoException;

  /** The first lock in the way of one on this range. Null if there is none. */
  HeldLock testLock(int fd, int type, long start, long end) throws ErrnoException;

  /** As {@link #tryLock}, waiting; EINTR when {@code turn} was cancelled. */
  void lock(int fd, int type, long start, long end, BlockingCall turn) throws ErrnoException;

  /** flock(2), {@code type} one of F_RDLCK, F_WRLCK, F_UNLCK. False on conflict. */
  boolean tryFlock(int fd, int type) throws ErrnoException;

  /** As {@link #tryFlock}, waiting; EINTR when {@code turn} was cancelled. */
  void flock(int fd, int type, BlockingCall turn) throws ErrnoException;

  /**
   * A stable name of the file system behind a descriptor, which outlives reboots where the file
   * system has an identity of its own.
   */
  String volumeKey(int fd) throws ErrnoException;

  /** Free and total space, as statfs(2); sizes in units of {@code frsize} bytes. */
  record StatVfs(
      long blocks,
      long bfree,
      long bavail,
      long files,
      long ffree,
      int bsize,
      int frsize,
      int namelen) {}

  /**
   * One name in a directory.
   *
   * @param cookie where reading goes on after this entry, for {@link #seek} with SEEK_SET
   * @param type S_IFMT bits, 0 if the directory does not say
   */
  record DirEntry(byte[] name, long inode, int type, long cookie) {}

  /**
   * A lock someone else holds; {@code end} is inclusive, {@link Long#MAX_VALUE} for end of file.
   */
  record HeldLock(int type, long start, long end, int pid) {}
}
