package dev.hostshare.agent.cli;

import dev.hostshare.agent.fs.FileSystem;
import java.io.IOException;
import java.util.Optional;

/**
 * A share that a server gives us and a folder to mount it on: what is left is the mount itself.
 *
 * @param made the mount point, if it had to be made
 */
record PreparedMount(MountRequest request, FileSystem fs, Optional<MadeFolder> made) {

  /**
   * Mounts; usable when it returns.
   *
   * @throws IOException if that fails; the session is closed then, a folder that was made stays
   */
  ActiveMount mount() throws IOException {
    try {
      return new ActiveMount(
          request, fs, request.driver().mount(fs, request.mountPoint(), request.flags()));
    } catch (IOException | RuntimeException | Error e) {
      fs.close();
      throw e;
    }
  }
}
