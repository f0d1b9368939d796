package dev.hostshare.agent.cli;

import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.ShareMount;
import dev.hostshare.agent.jnr.JnrMount;
import dev.hostshare.agent.kernel.KernelMount;
import dev.hostshare.agent.kernel.MountFlags;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a share is mounted. */
enum Driver {
  /** The FUSE kernel protocol, spoken directly. */
  kernel {
    @Override
    ShareMount mount(FileSystem fs, Path mountPoint, List<String> flags) throws IOException {
      return KernelMount.mount(
          fs,
          fs.share().getPath(),
          mountPoint,
          MountFlags.of(withShare(fs, flags)),
          ControlSocket.folder());
    }
  },
  /** jnr-fuse over libfuse 2.9. */
  jnr {
    @Override
    ShareMount mount(FileSystem fs, Path mountPoint, List<String> flags) throws IOException {
      return JnrMount.mount(fs, fs.share().getPath(), mountPoint, withShare(fs, flags));
    }
  };

  /**
   * Mounts; usable when it returns.
   *
   * @param flags of {@link MountFlags}
   */
  abstract ShareMount mount(FileSystem fs, Path mountPoint, List<String> flags) throws IOException;

  private static List<String> withShare(FileSystem fs, List<String> flags) {
    var all = new ArrayList<>(flags);
    if (fs.share().getReadOnly()) {
      all.add("ro");
    }
    return all;
  }

  /** Reads a name given in {@code -o driver=}. */
  static Driver parse(String name) {
    for (Driver driver : values()) {
      if (driver.name().equals(name)) {
        return driver;
      }
    }
    throw new IllegalArgumentException(
        "there is no driver '%s': choose kernel or jnr".formatted(name));
  }
}
