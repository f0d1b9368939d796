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

  /** What the share is now. */
  private volatile boolean wantedReadOnly;

  private volatile boolean withdrawn;

  /**
   * Out of the tree, even if containers have it still: another mount may be in its place. Written
   * under the lock.
   */
  private volatile boolean detached;

  /** That is so because somebody asked for it. Written under the lock. */
  private volatile boolean unmounted;

  // ---- guarded by this ----
  /** Whether the mount table shows it so. */
  private boolean readOnly;

  private boolean ended;

  ActiveMount(MountRequest request, FileSystem fs, ShareMount mount) {
    this.request = request;
    this.fs = fs;
    this.mount = mount;
    readOnly = fs.share().getReadOnly();
    wantedReadOnly = readOnly;
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

  /** Whether it is out of the tree, as far as we know: others may still have it. */
  boolean isDetached() {
    return detached;
  }

  /** Whether it is out of the tree by {@link #unmount}. */
  boolean isUnmounted() {
    return unmounted;
  }

  /** Waits until it is unmounted or its share was taken away, then ends the session. */
  void serve() throws InterruptedException {
    try {
      mount.awaitUnmounted();
    } finally {
      left();
      fs.close();
    }
  }

  /** Called on the event loop, which {@link #show} needs: the kernel writes back what there is. */
  @Override
  public void onChanged(Share now) {
    wantedReadOnly = now.getReadOnly();
    if (!request.isReadOnly()) {
      Thread.ofVirtual().name("hostshare-remount").start(this::show);
    }
  }

  /**
   * Remounts if the share is no longer as the mount table shows it. What is written to a share that
   * has become read-only, the server refuses in any case.
   */
  synchronized void show() {
    boolean wanted = wantedReadOnly;
    if (detached || wanted == readOnly) {
      return;
    }
    try {
      mount.showReadOnly(wanted);
      readOnly = wanted;
      log.info("{}: is {} now", mount.mountPoint(), wanted ? "read-only" : "writable");
    } catch (IOException e) {
      log.warn("{}; the server refuses what may not be", e.getMessage());
    }
  }

  /**
   * Takes the mount out of the tree because somebody asks for it.
   *
   * @throws IOException if it cannot be; in words if it is in use
   */
  synchronized void unmount() throws IOException {
    if (!detached) {
      mount.unmount(false);
      unmounted = true;
      detached = true;
    }
  }

  /** Takes the mount out of the tree; whoever has it still goes on with it. */
  synchronized void detach() {
    if (detached) {
      return;
    }
    try {
      mount.unmount(true);
      detached = true;
    } catch (IOException e) {
      log.error("{}", e.getMessage());
    }
  }

  /** It is out of the tree, by whomever. Waits for those who are just at it. */
  synchronized void left() {
    detached = true;
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
      detach();
    } finally {
      fs.close();
    }
  }
}
