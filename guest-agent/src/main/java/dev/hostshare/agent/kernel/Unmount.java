package dev.hostshare.agent.kernel;

import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** umount2(2), for both drivers. */
public final class Unmount {
  private static final Logger log = LoggerFactory.getLogger(Unmount.class);

  private Unmount() {}

  /**
   * Takes a mount out of the tree. That it is not there any more is no error.
   *
   * @param detach whether to do so even if it is in use
   * @throws IOException if it cannot be done; the message names the mount and says what to do
   */
  public static void unmount(Path mountPoint, boolean detach) throws IOException {
    int result = Libc.umount2(mountPoint.toString(), 0);
    if (result == -Errno.EBUSY && detach) {
      log.info("{}: in use; detached", mountPoint);
      result = Libc.umount2(mountPoint.toString(), Libc.MNT_DETACH);
    }
    if (result == -Errno.EBUSY) {
      throw new IOException(
          "%s is in use (EBUSY): `fuser -vm %s` shows by whom".formatted(mountPoint, mountPoint));
    }
    // EINVAL: it is not a mount point any more.
    if (result < 0 && result != -Errno.EINVAL) {
      throw new IOException("cannot unmount %s: %s".formatted(mountPoint, Errno.name(-result)));
    }
  }
}
