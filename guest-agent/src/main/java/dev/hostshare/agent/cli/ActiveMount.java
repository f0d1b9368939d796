package dev.hostshare.agent.cli;

import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.ShareMount;
import dev.hostshare.proto.v1.Share;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A mounted share with the file system behind it. Thread-safe. */
final class ActiveMount implements FileSystem.ShareWatcher {
  private static final Logger log = LoggerFactory.getLogger(ActiveMount.class);

  private final MountRequest request;
  private final FileSystem fs;
  private final ShareMount mount;

  /** Whether the mount table shows it so. */
  private volatile boolean readOnly;

  private volatile boolean withdrawn;

  /** Guarded by this. */
  private boolean ended;

  ActiveMount(MountRequest request, FileSystem fs, ShareMount mount) {
    this.request = request;
    this.fs = fs;
    this.mount = mount;
    readOnly = fs.share().getReadOnly();
    fs.watchShare(this);
  }

  MountRequest request() {
    return request;
  }

  FileSystem fs() {
    return fs;
  }

  ShareMount mount() {
    return mount;
  }

  /** Whether the server took the share away, rather than somebody unmounted it. */
  boolean isWithdrawn() {
    return withdrawn;
  }

  /** Waits until it is unmounted or its share was taken away, then ends the session. */
  void serve() throws InterruptedException {
    try {
      mount.awaitUnmounted();
    } finally {
      fs.close();
    }
  }

  @Override
  public void onChanged(Share now) {
    boolean wanted = now.getReadOnly();
    if (wanted == readOnly || request.isReadOnly()) {
      return;
    }
    Thread.ofVirtual().name("hostshare-remount").start(() -> show(wanted));
  }

  /** What is written to a share that has become read-only, the server refuses in any case. */
  private synchronized void show(boolean wanted) {
    try {
      mount.showReadOnly(wanted);
      readOnly = wanted;
      log.info("{}: is {} now", mount.mountPoint(), wanted ? "read-only" : "writable");
    } catch (IOException e) {
      log.warn("{}; the server refuses what may not be", e.getMessage());
    }
  }

  @Override
  public void onWithdrawn() {
    withdrawn = true;
    Thread.ofVirtual().name("hostshare-withdraw").start(this::withdraw);
  }

  /**
   * Takes the mount out of the tree, and ends it for whoever has it still: containers get ENOTCONN
   * rather than wait for a server that says no. When this returns it is out of the tree, and
   * another can be mounted in its place.
   */
  synchronized void withdraw() {
    if (ended) {
      return;
    }
    ended = true;
    withdrawn = true;
    log.info("{}: {} is no longer shared with us", mount.mountPoint(), request.share());
    try {
      mount.unmount(true);
    } catch (IOException e) {
      log.error("{}", e.getMessage());
    } finally {
      fs.close();
    }
  }
}
