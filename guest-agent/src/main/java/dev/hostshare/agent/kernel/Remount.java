package dev.hostshare.agent.kernel;

import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.nio.file.Path;

/** mount(2) with MS_REMOUNT, for both drivers. */
public final class Remount {
  private Remount() {}

  /**
   * Gives a mount other flags.
   *
   * @param flags as {@link MountFlags} makes them, all of them
   * @throws IOException if the kernel refuses: EBUSY in words if it is to be read-only while files
   *     are open for writing
   */
  public static void remount(Path mountPoint, long flags) throws IOException {
    int result = Libc.mount("", mountPoint.toString(), "", MountFlags.MS_REMOUNT | flags, "");
    if (result == -Errno.EBUSY) {
      throw new IOException(
          "%s has files open for writing (EBUSY): it is not shown as read-only"
              .formatted(mountPoint));
    }
    if (result < 0) {
      throw new IOException("cannot remount %s: %s".formatted(mountPoint, Errno.name(-result)));
    }
  }
}
