package dev.hostshare.fileserver.settings;

import dev.hostshare.fileserver.host.BlockingCall;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.Inotify;
import dev.hostshare.proto.Errno;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a {@link SettingsStore} look at its files when they change, and now and then at the folders:
 * a disk that is plugged in, a folder that was removed and made again.
 */
public final class SettingsWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SettingsWatch.class);

  /** A folder and a mount below it have no event that an ordinary user could wait for. */
  private static final int LOOK_MILLIS = 2000;

  /** How long the end waits for a look that is under way. */
  private static final Duration END = Duration.ofSeconds(5);

  private final SettingsStore store;
  private final Inotify events;
  private final Thread thread;

  /** The events failed; only touched by the thread. */
  private boolean deaf;

  // ---- guarded by this ----
  private BlockingCall turn;
  private boolean closing;

  public SettingsWatch(SettingsStore store) {
    this.store = store;
    this.events = open();
    thread = Thread.ofPlatform().name("settings").daemon().start(this::run);
  }

  private static Inotify open() {
    try {
      return Inotify.open();
    } catch (ErrnoException e) {
      log.warn(
          "changes of the settings are seen within {} s only: {}",
          LOOK_MILLIS / 1000,
          e.getMessage());
      return null;
    }
  }

  private void run() {
    try {
      for (BlockingCall next = nextTurn(); next != null; next = nextTurn()) {
        watch();
        try {
          // After the watch, so that no change falls between.
          store.refresh();
        } catch (RuntimeException e) {
          log.error("the settings could not be looked at", e);
        }
        await(next);
      }
    } finally {
      if (events != null) {
        events.close();
      }
    }
  }

  private synchronized BlockingCall nextTurn() {
    turn = closing ? null : new BlockingCall();
    return turn;
  }

  private void await(BlockingCall next) {
    try {
      if (events != null && !deaf) {
        events.await(next, LOOK_MILLIS);
      } else {
        synchronized (this) {
          if (!closing) {
            TimeUnit.MILLISECONDS.timedWait(this, LOOK_MILLIS);
          }
        }
      }
    } catch (ErrnoException e) {
      if (e.errno() != Errno.EINTR) {
        log.error(
            "changes of the settings are seen within {} s only: {}",
            LOOK_MILLIS / 1000,
            e.getMessage());
        deaf = true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The files, and the folders in which they are or would be; again, since they may be others. */
  private void watch() {
    if (events == null) {
      return;
    }
    for (Path file : store.files()) {
      try {
        Path folder = file.getParent();
        if (Files.isDirectory(folder)) {
          events.watchFilesIn(folder);
        } else {
          while (!Files.isDirectory(folder)) {
            folder = folder.getParent();
          }
          events.watchFoldersIn(folder);
        }
        if (Files.exists(file)) {
          events.watchFile(file); // where a link leads to, too
        }
      } catch (ErrnoException e) {
        // Gone again, or not ours to read: then the look every now and then has to do.
        log.debug("{} is not watched: {}", file, e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    BlockingCall waiting;
    synchronized (this) {
      closing = true;
      waiting = turn;
      notifyAll();
    }
    if (Thread.currentThread().equals(thread)) {
      return;
    }
    try {
      if (waiting != null) {
        waiting.cancel();
      }
      if (!thread.join(END)) {
        log.warn(
            "a look at the shared folders does not end: is one of them on a dead network disk?");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
