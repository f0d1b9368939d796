package dev.hostshare.agent.jnr;

import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.ShareMount;
import dev.hostshare.agent.kernel.MountFlags;
import dev.hostshare.agent.kernel.Remount;
import dev.hostshare.agent.kernel.Unmount;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A mount of the jnr driver. The package's documentation is the manual. */
public final class JnrMount implements ShareMount {
  private static final Logger log = LoggerFactory.getLogger(JnrMount.class);

  private final JnrFileSystem callbacks;
  private final Path mountPoint;
  private final long flags;
  private final Thread thread;
  private final CompletableFuture<Integer> ended = new CompletableFuture<>();

  private JnrMount(JnrFileSystem callbacks, Path mountPoint, long flags, List<String> arguments) {
    this.callbacks = callbacks;
    this.mountPoint = mountPoint;
    this.flags = flags;
    this.thread =
        Thread.ofPlatform()
            .name("hostshare-libfuse")
            .daemon()
            .unstarted(() -> run(arguments.toArray(String[]::new)));
  }

  /**
   * Mounts a file system. When this returns, it can be used.
   *
   * @param source shown as the mount's device
   * @param flags mount flags by name, as mount(8) takes them
   * @throws IOException if it cannot be mounted; the message says why
   */
  public static JnrMount mount(FileSystem fs, String source, Path mountPoint, List<String> flags)
      throws IOException {
    JnrFileSystem callbacks;
    try {
      callbacks = new JnrFileSystem(fs);
    } catch (UnsatisfiedLinkError | IllegalArgumentException e) {
      throw new IOException(
          "the driver jnr needs libfuse 2.9 (libfuse.so.2): install the package libfuse2, or use --driver kernel",
          e);
    }
    var mount =
        new JnrMount(
            callbacks, mountPoint, MountFlags.of(flags), arguments(fs, source, mountPoint, flags));
    mount.thread.start();
    try {
      CompletableFuture.anyOf(callbacks.initialized(), mount.ended).get();
    } catch (ExecutionException e) {
      throw new IOException("libfuse failed on %s: %s".formatted(mountPoint, e.getCause()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while mounting " + mountPoint, e);
    }
    if (!callbacks.initialized().isDone()) {
      throw new IOException(
          "libfuse cannot mount on %s (result %d; its own words are in the log): mounting needs root and /dev/fuse"
              .formatted(mountPoint, mount.ended.join()));
    }
    log.info("{}: mounted through libfuse 2; changes on the host show after a second", mountPoint);
    return mount;
  }

  private static List<String> arguments(
      FileSystem fs, String source, Path mountPoint, List<String> flags) {
    var options = new ArrayList<String>();
    // libfuse's default is nosuid,nodev.
    options.add("suid,dev");
    options.addAll(flags);
    // libfuse reads a comma in the name as the end of the option.
    options.add("fsname=" + source.replace("\\", "\\\\").replace(",", "\\,"));
    options.add("subtype=hostshare,allow_other,nonempty,use_ino,big_writes");
    options.add("max_read=131072");
    double entrySeconds = fs.policy().entryNanos(false) / 1e9;
    // libfuse 2 makes an inode of each name: what is done through one link of a file must not be
    // hidden by attributes kept of another (pjdfstest's link/00: 45 failures with one second).
    options.add("entry_timeout=%s,attr_timeout=0,negative_timeout=0".formatted(entrySeconds));
    if (!fs.policy().perCaller()) {
      options.add("default_permissions");
    }
    // -f: this process serves the mount, on the thread that calls.
    return List.of("hostshare-agent", "-f", mountPoint.toString(), "-o", String.join(",", options));
  }

  private void run(String[] arguments) {
    try {
      ended.complete(callbacks.run(arguments));
    } catch (Throwable t) {
      log.error("{}: libfuse failed", mountPoint, t);
      ended.completeExceptionally(t);
    }
  }

  @Override
  public Path mountPoint() {
    return mountPoint;
  }

  @Override
  public String driver() {
    return "jnr";
  }

  @Override
  public int pendingRequests() {
    return callbacks.pendingRequests();
  }

  @Override
  public void unmount(boolean detach) throws IOException {
    Unmount.unmount(mountPoint, detach);
  }

  @Override
  public void showReadOnly(boolean readOnly) throws IOException {
    Remount.remount(mountPoint, MountFlags.readOnly(flags, readOnly));
  }

  @Override
  public void awaitUnmounted() throws InterruptedException {
    thread.join();
  }

  @Override
  public boolean awaitUnmounted(Duration time) throws InterruptedException {
    return thread.join(time);
  }
}
