package dev.hostshare.fileserver.rpc;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * The one folder in which the server keeps its state: the overlay store, the control socket, the
 * lock that keeps a second server out. Readable by its user only.
 */
public final class StateFolder implements AutoCloseable {
  /** How long is waited for a command that has the folder. */
  private static final int COMMAND_SECONDS = 2;

  private final Path path;
  private final FileChannel lockFile;

  private StateFolder(Path path, FileChannel lockFile) {
    this.path = path;
    this.lockFile = lockFile;
  }

  /**
   * {@code $XDG_STATE_HOME/hostshare}, by default {@code ~/.local/state/hostshare} (XDG Base
   * Directory Specification); none for a user without a home folder.
   */
  public static Optional<Path> defaultPath() {
    String xdg = System.getenv("XDG_STATE_HOME");
    if (isAbsolute(xdg)) {
      return Optional.of(Path.of(xdg, "hostshare"));
    }
    // The JDK's is that of the user database, "?" for a user who is not in it.
    return Stream.of(System.getenv("HOME"), System.getProperty("user.home"))
        .filter(StateFolder::isAbsolute)
        .findFirst()
        .map(home -> Path.of(home, ".local", "state", "hostshare"));
  }

  private static boolean isAbsolute(String path) {
    return path != null && path.startsWith("/");
  }

  /** Where a running server answers the command line. */
  public static Path controlSocket(Path state) {
    return state.resolve("control.sock");
  }

  /**
   * Makes the folder if need be, and takes it for this process.
   *
   * @throws IOException with a message for the user: no access, or another server has it
   */
  public static StateFolder take(Path path) throws IOException {
    try {
      Files.createDirectories(
          path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      FileChannel file =
          FileChannel.open(
              path.resolve("server.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (!lock(file)) {
        file.close();
        throw new IOException(
            "state folder "
                + path
                + " is in use by another server, or by a command that does not end; stop that one,"
                + " or name another folder with --state");
      }
      return new StateFolder(path, file);
    } catch (java.nio.file.FileSystemException e) {
      throw new IOException(
          "cannot use state folder "
              + path
              + ": "
              + (e.getReason() == null ? e.getClass().getSimpleName() : e.getReason())
              + "; name a folder of your own with --state",
          e);
    }
  }

  private static boolean lock(FileChannel file) throws IOException {
    try {
      if (file.tryLock() != null) {
        return true;
      }
    } catch (OverlappingFileLockException e) {
      return false; // by this very process
    }
    // A command that changes the list is soon done. The caller closes the file if this takes long,
    // which ends the thread.
    var locked = new FutureTask<FileLock>(file::lock);
    Thread.ofPlatform().daemon().name("state-lock").start(locked);
    try {
      locked.get(COMMAND_SECONDS, TimeUnit.SECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (ExecutionException e) {
      throw new IOException("the state folder's lock cannot be had: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while another process had the state folder");
    }
  }

  public Path path() {
    return path;
  }

  @Override
  public void close() throws IOException {
    lockFile.close();
  }
}
