package dev.hostshare.fileserver.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Tells that one of a few files may have changed; see inotify(7). For many folders there is {@link
 * Fanotify}. The JDK's own watch service can only watch all that is written in a folder, and in the
 * one with our settings a database is written to thousands of times a second.
 *
 * <p>Used by one thread; {@link #close} after its last use.
 */
public final class Inotify implements AutoCloseable {
  // include/uapi/linux/inotify.h
  private static final int IN_NONBLOCK = 0x800;
  private static final int IN_CLOEXEC = 0x80000;
  private static final int IN_ATTRIB = 0x4;
  private static final int IN_CLOSE_WRITE = 0x8;
  private static final int IN_MOVED_FROM = 0x40;
  private static final int IN_MOVED_TO = 0x80;
  private static final int IN_CREATE = 0x100;
  private static final int IN_DELETE = 0x200;
  private static final int IN_MASK_ADD = 0x20000000;

  /** Not each write: who reads at the first finds half a file. */
  private static final int FILE = IN_CLOSE_WRITE | IN_ATTRIB;

  /** Nor a new file before something is in it. */
  private static final int FILES =
      IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE;

  private static final int FOLDERS = IN_CREATE | IN_MOVED_TO;

  /** Some hundred events. */
  private static final int BUFFER_BYTES = 16 << 10;

  private final int fd;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(BUFFER_BYTES, 8);

  private Inotify(int fd) {
    this.fd = fd;
  }

  /**
   * Watches nothing yet.
   *
   * @throws ErrnoException EMFILE when the user has too many (fs.inotify.max_user_instances)
   */
  public static Inotify open() throws ErrnoException {
    Scratch s = Scratch.get();
    try {
      return new Inotify(
          (int)
              LinuxHost.check(
                  s, (int) Libc.INOTIFY_INIT1.invokeExact(s.callState, IN_NONBLOCK | IN_CLOEXEC)));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
  }

  /** Tells when the file was written to and closed, or its mode changed. */
  public void watchFile(Path file) throws ErrnoException {
    watch(file, FILE);
  }

  /** Tells when a file in the folder was written, goes, or another takes its place. */
  public void watchFilesIn(Path folder) throws ErrnoException {
    watch(folder, FILES);
  }

  /** Tells when a folder is made in the folder, or moved to it. */
  public void watchFoldersIn(Path folder) throws ErrnoException {
    watch(folder, FOLDERS);
  }

  private void watch(Path path, int events) throws ErrnoException {
    Scratch s = Scratch.get();
    MemorySegment name = s.name(path.toString().getBytes(StandardCharsets.UTF_8));
    try {
      LinuxHost.check(
          s, (int) Libc.INOTIFY_ADD_WATCH.invokeExact(s.callState, fd, name, events | IN_MASK_ADD));
    } catch (Throwable e) {
      throw LinuxHost.rethrow(e);
    }
  }

  /**
   * Waits until something has changed, or for {@code millis}.
   *
   * @throws ErrnoException EINTR when {@code turn} was cancelled
   */
  public void await(BlockingCall turn, int millis) throws ErrnoException {
    LinuxLocks.waiting(turn, () -> EventDescriptor.poll(fd, millis));
    while (EventDescriptor.read(fd, buffer) > 0) {
      // What happened the caller looks at by himself.
    }
  }

  @Override
  public void close() {
    LinuxHost.closeDescriptor(fd);
    arena.close();
  }
}
