package dev.hostshare.agent.kernel;

import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.RequestContext;
import dev.hostshare.agent.fs.ShareMount;
import dev.hostshare.agent.remote.PolledDescriptor;
import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A mount of the kernel driver: mount(2) of an open /dev/fuse, from which requests are read until
 * it is unmounted. The package's documentation is the manual.
 */
public final class KernelMount implements ShareMount {
  private static final Logger log = LoggerFactory.getLogger(KernelMount.class);

  private static final String DEVICE = "/dev/fuse";

  /** The kernel makes "fuse" of it and shows the rest as the subtype. */
  private static final String TYPE = "fuse.hostshare";

  /** So many requests before the sockets have their turn again. */
  private static final int AT_ONCE = 16;

  /** 4 MiB: 512 MiB are read at 1,000 MiB/s; at 600 with 128 KiB, at 840 with 512 KiB. */
  private static final int READ_AHEAD_KIB = 4096;

  private final FileSystem fs;
  private final Path mountPoint;
  private final long flags;
  private final FuseDevice device;
  private final PendingRequests pending = new PendingRequests();
  private final CountDownLatch gone = new CountDownLatch(1);

  private final LargeBuffers buffers;

  /** The request that is being read; null if none is. The event loop's, but for the first. */
  private MemorySegment input;

  private FuseDispatcher dispatcher;
  private PolledDescriptor polled;

  private KernelMount(FileSystem fs, Path mountPoint, long flags, int fd) {
    this.fs = fs;
    this.mountPoint = mountPoint;
    this.flags = flags;
    this.buffers = new LargeBuffers(fs.files().maxPayload());
    this.device = new FuseDevice(fd, buffers);
  }

  /**
   * Mounts a file system. When this returns, it can be used.
   *
   * @param source shown as the mount's device
   * @param flags as {@link MountFlags} makes them
   * @param staging a folder of root's for a mount point of a moment
   * @throws IOException if it cannot be mounted; the message says why
   */
  public static KernelMount mount(
      FileSystem fs, String source, Path mountPoint, long flags, Path staging) throws IOException {
    int fd = Libc.open(DEVICE, Libc.O_RDWR | Libc.O_CLOEXEC);
    if (fd < 0) {
      throw new IOException(
          "cannot open %s: %s. %s"
              .formatted(
                  DEVICE,
                  Errno.name(-fd),
                  fd == -Errno.ENOENT || fd == -Errno.ENODEV
                      ? "Load the kernel's module with `modprobe fuse`."
                      : "Mounting needs root; in a container, --device /dev/fuse --cap-add SYS_ADMIN."));
    }
    var mount = new KernelMount(fs, mountPoint, flags, fd);
    String data =
        "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,max_read=%d%s"
            .formatted(
                fd, fs.files().maxPayload(), fs.policy().perCaller() ? "" : ",default_permissions");
    Path stage = stage(staging);
    try {
      int result = Libc.mount(source, stage.toString(), TYPE, flags, data);
      if (result < 0) {
        mount.device.close();
        throw new IOException(refusal(mountPoint, -result));
      }
      try {
        mount.withInput(mount::begin);
        mount.poll();
        mount.widenReadAhead(stage);
        mount.show(stage);
      } catch (IOException | RuntimeException | Error e) {
        Libc.umount2(stage.toString(), Libc.MNT_DETACH);
        if (mount.polled == null) {
          mount.device.close();
        } // else the event loop does, which is told of the unmount
        throw e;
      }
      Libc.umount2(stage.toString(), Libc.MNT_DETACH);
    } finally {
      Files.deleteIfExists(stage);
    }
    return mount;
  }

  /** Where the file system is mounted whole, for the moment until the share's root is shown. */
  private static Path stage(Path staging) throws IOException {
    try {
      Files.createDirectories(staging);
      return Files.createTempDirectory(staging, "mount-");
    } catch (FileSystemException e) {
      throw new IOException("cannot make a folder in %s: %s".formatted(staging, e.getReason()), e);
    }
  }

  /**
   * Lets the kernel read ahead as much as one request may carry, several times over. Its default
   * for every FUSE mount is 128 KiB: one request under way, and the next.
   */
  private void widenReadAhead(Path stage) throws IOException {
    long device = (Long) Files.getAttribute(stage, "unix:dev");
    Path setting =
        Path.of("/sys/class/bdi/%d:%d/read_ahead_kb".formatted(major(device), minor(device)));
    try {
      Files.writeString(setting, Integer.toString(READ_AHEAD_KIB));
    } catch (IOException e) {
      // Read-only in a container: slower, and nothing else.
      log.info("{}: cannot set {}: {}", mountPoint, setting, e.toString());
    }
  }

  private static long major(long device) {
    return (device >>> 8 & 0xfff) | (device >>> 32 & ~0xfffL);
  }

  private static long minor(long device) {
    return (device & 0xff) | (device >>> 12 & ~0xffL);
  }

  /** Mounts the share's root alone where users are to see it; {@link HiddenRoot} tells why. */
  private void show(Path stage) throws IOException {
    String share = stage.resolve(HiddenRoot.SHARE).toString();
    int result = Libc.mount(share, mountPoint.toString(), "", MountFlags.MS_BIND, "");
    if (result < 0) {
      throw new IOException(refusal(mountPoint, -result));
    }
  }

  private static String refusal(Path mountPoint, int errno) {
    return switch (errno) {
      case Errno.EPERM, Errno.EACCES ->
          "not allowed to mount on %s (%s): run as root".formatted(mountPoint, Errno.name(errno));
      case Errno.ENODEV -> "this kernel has no FUSE (ENODEV): load the module with `modprobe fuse`";
      default -> "cannot mount on %s: %s".formatted(mountPoint, Errno.name(errno));
    };
  }

  private interface Reading<X extends Exception> {
    void run() throws X;
  }

  private <X extends Exception> void withInput(Reading<X> reading) throws X {
    input = buffers.take();
    try {
      reading.run();
    } finally {
      buffers.giveBack(input);
      input = null;
    }
  }

  /** Answers FUSE_INIT, which mount(2) has queued. */
  private void begin() throws IOException {
    long length = device.read(input);
    if (length < FuseAbi.InHeader.SIZE) {
      throw new IOException(
          "cannot read from %s: %s"
              .formatted(DEVICE, length < 0 ? Errno.name((int) -length) : "short request"));
    }
    long unique = input.get(ValueLayout.JAVA_LONG, FuseAbi.InHeader.UNIQUE);
    FuseInit init;
    try {
      init = FuseInit.negotiate(body(length), fs.policy(), fs.files().maxPayload());
    } catch (IOException e) {
      device.error(unique, Errno.EPROTO);
      throw e;
    }
    device.reply(unique, FuseInit.ENCODER, init);
    fs.attach(new FuseNotifications(device, init));
    dispatcher = new FuseDispatcher(fs, pending, init);
    device.neverWait();
    log.info(
        "{}: mounted, FUSE 7.{}, flags {}",
        mountPoint,
        init.minor(),
        Long.toHexString(init.flags()));
  }

  /** Begins to wait for requests. */
  private void poll() {
    polled = fs.poll(device.fd(), () -> withInput(this::read), this::end);
    polled.resume();
  }

  /** On the event loop: begins the requests that there are, until the mount is gone. */
  private void read() {
    for (int i = 0; i < AT_ONCE; i++) {
      // While it is paused we are called if it is gone.
      if (!polled.isPaused() && fs.awaitRoom(polled::resume)) {
        polled.pause();
        return;
      }
      long length = device.read(input);
      if (length >= FuseAbi.InHeader.SIZE) {
        serve(length);
      } else if (length == -Errno.EAGAIN) {
        return;
      } else if (length != -Errno.EINTR && length != -Errno.ENOENT) {
        // ENOENT: the request was interrupted before we had it.
        if (length != -Errno.ENODEV) { // unmounted
          log.error("{}: cannot read requests: {}", mountPoint, Errno.name((int) -length));
        }
        polled.close();
        end();
        return;
      }
    }
  }

  /**
   * On the event loop, or after its end: nothing is read any more, since the mount is gone or the
   * file system is closed. If it was still used, that fails with ENOTCONN from now on.
   */
  private void end() {
    device.close();
    gone.countDown();
  }

  /** Begins one request. Whatever is thrown, it is answered. */
  private void serve(long length) {
    int opcode = input.get(ValueLayout.JAVA_INT, FuseAbi.InHeader.OPCODE);
    long unique = input.get(ValueLayout.JAVA_LONG, FuseAbi.InHeader.UNIQUE);
    var request =
        new FuseRequest(
            device,
            pending,
            unique,
            opcode,
            HiddenRoot.fromKernel(input.get(ValueLayout.JAVA_LONG, FuseAbi.InHeader.NODEID)),
            caller(),
            input.get(ValueLayout.JAVA_INT, FuseAbi.InHeader.PID));
    boolean answers = !FuseDispatcher.isSilent(opcode);
    int errno;
    try {
      if (answers) {
        pending.begun(request);
      }
      dispatcher.dispatch(request, body(length));
      return;
    } catch (ErrnoException e) {
      errno = e.errno();
    } catch (Throwable t) {
      log.error("{}: request {} failed", mountPoint, opcode, t);
      errno = Errno.EIO;
    }
    if (answers) {
      request.fail(errno);
    }
  }

  private RequestContext.Identity caller() {
    int uid = input.get(ValueLayout.JAVA_INT, FuseAbi.InHeader.UID);
    int gid = input.get(ValueLayout.JAVA_INT, FuseAbi.InHeader.GID);
    return uid == FuseAbi.INVALID_ID || gid == FuseAbi.INVALID_ID
        ? null
        : new RequestContext.Identity(
            uid, gid, input.get(ValueLayout.JAVA_INT, FuseAbi.InHeader.PID));
  }

  /** What follows the header, up to the extensions, which we asked for none of. */
  private RequestBody body(long length) {
    return new RequestBody(input.asSlice(FuseAbi.InHeader.SIZE, length - FuseAbi.InHeader.SIZE));
  }

  @Override
  public void awaitUnmounted() throws InterruptedException {
    gone.await();
  }

  @Override
  public boolean awaitUnmounted(Duration time) throws InterruptedException {
    return gone.await(time.toMillis(), TimeUnit.MILLISECONDS);
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
  public Path mountPoint() {
    return mountPoint;
  }

  @Override
  public String driver() {
    return "kernel";
  }

  @Override
  public int pendingRequests() {
    return pending.size();
  }
}
