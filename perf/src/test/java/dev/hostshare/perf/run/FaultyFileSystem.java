package dev.hostshare.perf.run;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import jnr.ffi.Pointer;
import jnr.ffi.types.mode_t;
import jnr.ffi.types.off_t;
import jnr.ffi.types.size_t;
import ru.serce.jnrfuse.ErrorCodes;
import ru.serce.jnrfuse.FuseFillDir;
import ru.serce.jnrfuse.FuseStubFS;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.FuseFileInfo;
import ru.serce.jnrfuse.struct.Statvfs;
import ru.serce.jnrfuse.struct.Timespec;

/** A folder by FUSE, with the faults that a test asks for. For root. */
final class FaultyFileSystem extends FuseStubFS implements AutoCloseable {
  private final Path backing;
  private final Path mount;

  /** Each answer about a small file takes so much longer. */
  volatile long statDelayNanos;

  /** One bit of what is read at the beginning of files with this in their name is wrong. */
  volatile String corrupted = "";

  /** Reading a file, or listing a folder, fails with EIO where this says so of its path. */
  volatile Predicate<String> unreadable = path -> false;

  /** Called before each stat of a small file. */
  volatile Runnable onStat = () -> {};

  FaultyFileSystem(Path backing, Path mount) {
    this.backing = backing;
    this.mount = mount;
    // Names are asked for each time; attributes that come with them are kept for a moment.
    mount(mount, false, false, new String[] {"-o", "entry_timeout=0,attr_timeout=1"});
  }

  /**
   * Every request fails from now on, as if the program that serves it had died: umount(2) with
   * MNT_FORCE. Something must be open in the mount, or it goes altogether.
   */
  void abort() {
    try {
      Command.run("umount", "--force", mount.toString());
    } catch (IOException expected) {
      if (!expected.getMessage().contains("busy")) {
        throw new UncheckedIOException(expected);
      }
    }
  }

  @Override
  public void close() {
    umount();
  }

  private Path at(String path) {
    return backing.resolve(path.substring(1));
  }

  /** What a request does. */
  private interface Request {
    int run() throws IOException;
  }

  private static int answer(Request request) {
    try {
      return request.run();
    } catch (NoSuchFileException e) {
      return -ErrorCodes.ENOENT();
    } catch (FileAlreadyExistsException e) {
      return -ErrorCodes.EEXIST();
    } catch (IOException | RuntimeException e) {
      return -ErrorCodes.EIO();
    }
  }

  private void checkReadable(String path) throws IOException {
    if (unreadable.test(path)) {
      throw new IOException("as the test asks for: " + path);
    }
  }

  @Override
  public int getattr(String path, FileStat stat) {
    return answer(
        () -> {
          var its = Files.readAttributes(at(path), PosixFileAttributes.class);
          if (path.contains("/file-")) {
            onStat.run();
            long end = System.nanoTime() + statDelayNanos;
            for (long left = statDelayNanos; left > 0; left = end - System.nanoTime()) {
              LockSupport.parkNanos(left);
            }
          }
          stat.st_mode.set((int) Files.getAttribute(at(path), "unix:mode"));
          stat.st_size.set(its.size());
          stat.st_nlink.set(1);
          return 0;
        });
  }

  @Override
  public int mkdir(String path, @mode_t long mode) {
    return answer(
        () -> {
          Files.createDirectory(at(path));
          return 0;
        });
  }

  @Override
  public int rmdir(String path) {
    return unlink(path);
  }

  @Override
  public int unlink(String path) {
    return answer(
        () -> {
          Files.delete(at(path));
          return 0;
        });
  }

  @Override
  public int rename(String from, String to) {
    return answer(
        () -> {
          Files.move(at(from), at(to), StandardCopyOption.REPLACE_EXISTING);
          return 0;
        });
  }

  @Override
  public int chmod(String path, @mode_t long mode) {
    return answer(
        () -> {
          Files.setAttribute(at(path), "unix:mode", (int) mode);
          return 0;
        });
  }

  @Override
  public int utimens(String path, Timespec[] times) {
    return 0;
  }

  @Override
  public int truncate(String path, @off_t long size) {
    return answer(
        () -> {
          try (var file = new RandomAccessFile(at(path).toFile(), "rw")) {
            file.setLength(size);
          }
          return 0;
        });
  }

  @Override
  public int create(String path, @mode_t long mode, FuseFileInfo info) {
    return answer(
        () -> {
          Files.createFile(at(path));
          return 0;
        });
  }

  @Override
  public int open(String path, FuseFileInfo info) {
    return Files.exists(at(path)) ? 0 : -ErrorCodes.ENOENT();
  }

  @Override
  public int read(
      String path, Pointer into, @size_t long size, @off_t long offset, FuseFileInfo info) {
    return answer(
        () -> {
          checkReadable(path);
          try (var file = FileChannel.open(at(path), StandardOpenOption.READ)) {
            var bytes = ByteBuffer.allocate((int) size);
            int length = Math.max(0, file.read(bytes, offset));
            if (offset == 0 && !corrupted.isEmpty() && path.contains(corrupted)) {
              bytes.array()[17] ^= 4;
            }
            into.put(0, bytes.array(), 0, length);
            return length;
          }
        });
  }

  @Override
  public int write(
      String path, Pointer from, @size_t long size, @off_t long offset, FuseFileInfo info) {
    return answer(
        () -> {
          var bytes = new byte[(int) size];
          from.get(0, bytes, 0, bytes.length);
          try (var file = FileChannel.open(at(path), StandardOpenOption.WRITE)) {
            return file.write(ByteBuffer.wrap(bytes), offset);
          }
        });
  }

  @Override
  public int readdir(
      String path, Pointer buffer, FuseFillDir filler, @off_t long offset, FuseFileInfo info) {
    return answer(
        () -> {
          checkReadable(path);
          filler.apply(buffer, ".", null, 0);
          filler.apply(buffer, "..", null, 0);
          try (var entries = Files.list(at(path))) {
            entries.forEach(e -> filler.apply(buffer, e.getFileName().toString(), null, 0));
          }
          return 0;
        });
  }

  @Override
  public int fsync(String path, int isDataSync, FuseFileInfo info) {
    return 0;
  }

  @Override
  public int statfs(String path, Statvfs answer) {
    answer.f_frsize.set(4096);
    answer.f_bsize.set(4096);
    answer.f_blocks.set(1 << 24);
    answer.f_bfree.set(1 << 24);
    answer.f_bavail.set(1 << 24);
    return 0;
  }
}
