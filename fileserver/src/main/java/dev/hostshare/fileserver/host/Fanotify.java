package dev.hostshare.fileserver.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * {@link HostWatch} by a fanotify(7) group of an ordinary user (Linux 5.13). Rather than inotify(7)
 * because it tells who made a change: an unprivileged group sees its own process id in the events
 * that it caused, and 0 in all others.
 */
public final class Fanotify implements HostWatch {
  // include/uapi/linux/fanotify.h
  private static final int FAN_CLOEXEC = 0x1;
  private static final int FAN_NONBLOCK = 0x2;
  private static final int FAN_REPORT_DFID_NAME = 0xc00;

  private static final int FAN_MARK_ADD = 0x1;
  private static final int FAN_MARK_REMOVE = 0x2;
  private static final int FAN_MARK_ONLYDIR = 0x8;
  private static final int FAN_MARK_FLUSH = 0x80;

  private static final long FAN_MODIFY = 0x2;
  private static final long FAN_ATTRIB = 0x4;
  private static final long FAN_MOVED_FROM = 0x40;
  private static final long FAN_MOVED_TO = 0x80;
  private static final long FAN_CREATE = 0x100;
  private static final long FAN_DELETE = 0x200;
  private static final long FAN_Q_OVERFLOW = 0x4000;
  private static final long FAN_EVENT_ON_CHILD = 0x08000000;
  private static final long FAN_ONDIR = 0x40000000;

  private static final long NAMES = FAN_MOVED_FROM | FAN_MOVED_TO | FAN_CREATE | FAN_DELETE;
  private static final long FILES = FAN_MODIFY | FAN_ATTRIB;
  private static final long WATCHED = NAMES | FILES | FAN_EVENT_ON_CHILD | FAN_ONDIR;

  // struct fanotify_event_metadata, then struct fanotify_event_info_fid with the name behind it
  private static final int EVENT_LEN = 0;
  private static final int METADATA_LEN = 6;
  private static final int MASK = 8;
  private static final int PID = 20;
  private static final int INFO_FSID = 4;
  private static final int INFO_HANDLE = 12;
  private static final int FSID_BYTES = 8;
  private static final int HANDLE_HEADER = 8;

  /** MAX_HANDLE_SZ: the longest handle that name_to_handle_at(2) makes. */
  private static final int MAX_HANDLE = 128;

  /** 64 KiB: a thousand events of 40-byte names with each read(2). */
  private static final int BUFFER_BYTES = 64 << 10;

  private static final byte[] DOT = {'.'};

  private final int fd;
  private final int pid;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(BUFFER_BYTES, 8);

  private Fanotify(int fd, int pid) {
    this.fd = fd;
    this.pid = pid;
  }

  /**
   * A group without a watch.
   *
   * @throws ErrnoException ENOSYS, EPERM or EINVAL where the kernel has none for ordinary users;
   *     EMFILE when the user has too many groups (fs.fanotify.max_user_groups)
   */
  public static Fanotify open() throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      int flags = FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME;
      int fd =
          (int) LinuxHost.check(s, (int) Libc.FANOTIFY_INIT.invokeExact(s.callState, flags, 0));
      return new Fanotify(fd, (int) Libc.GETPID.invokeExact(s.callState));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
  }

  @Override
  public String watch(int dir) throws ErrnoException {
    mark(FAN_MARK_ADD, dir);
    return key(dir);
  }

  @Override
  public void unwatch(int dir) throws ErrnoException {
    mark(FAN_MARK_REMOVE, dir);
  }

  @Override
  public void unwatchAll() throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      LinuxHost.check(
          s,
          (int)
              Libc.FANOTIFY_MARK.invokeExact(
                  s.callState, fd, FAN_MARK_FLUSH, 0L, LinuxHost.AT_FDCWD, MemorySegment.NULL));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
  }

  private void mark(int operation, int dir) throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      LinuxHost.check(
          s,
          (int)
              Libc.FANOTIFY_MARK.invokeExact(
                  s.callState, fd, operation | FAN_MARK_ONLYDIR, WATCHED, dir, s.name(DOT)));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
  }

  /** As events name a directory: fsid, length and type of its file handle, the handle. */
  private static String key(int dir) throws ErrnoException {
    long fsid = LinuxHost.fsid(dir);
    Scratch s = Scratch.get();
    MemorySegment handle = s.struct;
    handle.set(JAVA_INT_UNALIGNED, 0, MAX_HANDLE);
    try {
      LinuxHost.check(
          s,
          (int)
              Libc.NAME_TO_HANDLE_AT.invokeExact(
                  s.callState,
                  dir,
                  s.name(HostFs.SELF),
                  handle,
                  s.struct2,
                  LinuxHost.AT_EMPTY_PATH));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
    byte[] key = new byte[FSID_BYTES + HANDLE_HEADER + handle.get(JAVA_INT_UNALIGNED, 0)];
    MemorySegment.ofArray(key).set(JAVA_LONG_UNALIGNED, 0, fsid);
    MemorySegment.copy(handle, JAVA_BYTE, 0, key, FSID_BYTES, key.length - FSID_BYTES);
    return string(key);
  }

  private static String string(byte[] key) {
    return new String(key, StandardCharsets.ISO_8859_1);
  }

  @Override
  public void await(BlockingCall turn) throws ErrnoException {
    LinuxLocks.waiting(turn, () -> EventDescriptor.poll(fd, -1));
  }

  @Override
  public synchronized void drain(Consumer<Change> sink) throws ErrnoException {
    while (true) {
      long length = EventDescriptor.read(fd, buffer);
      for (long at = 0; at < length; at += buffer.get(JAVA_INT_UNALIGNED, at + EVENT_LEN)) {
        sink.accept(change(at));
      }
      if (length < BUFFER_BYTES / 2) {
        return; // all that there was at the time of the call
      }
    }
  }

  private Change change(long at) {
    long mask = buffer.get(JAVA_LONG_UNALIGNED, at + MASK);
    boolean own = buffer.get(JAVA_INT_UNALIGNED, at + PID) == pid;
    if ((mask & FAN_Q_OVERFLOW) != 0) {
      return new Change(null, HostFs.SELF, NAME | FILE, false);
    }
    int kinds = ((mask & NAMES) != 0 ? NAME : 0) | ((mask & FILES) != 0 ? FILE : 0);
    long info = at + Short.toUnsignedInt(buffer.get(JAVA_SHORT_UNALIGNED, at + METADATA_LEN));
    int handleBytes = buffer.get(JAVA_INT_UNALIGNED, info + INFO_HANDLE);
    byte[] key = bytes(info + INFO_FSID, FSID_BYTES + HANDLE_HEADER + handleBytes);
    long name = info + INFO_FSID + key.length;
    int length = 0;
    while (buffer.get(JAVA_BYTE, name + length) != 0) {
      length++;
    }
    boolean self = length == 1 && buffer.get(JAVA_BYTE, name) == '.';
    return new Change(string(key), self ? HostFs.SELF : bytes(name, length), kinds, own);
  }

  private byte[] bytes(long at, int length) {
    byte[] bytes = new byte[length];
    MemorySegment.copy(buffer, JAVA_BYTE, at, bytes, 0, length);
    return bytes;
  }

  @Override
  public synchronized void close() {
    LinuxHost.closeDescriptor(fd);
    arena.close();
  }
}
