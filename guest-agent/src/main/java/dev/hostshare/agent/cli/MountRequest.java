package dev.hostshare.agent.cli;

import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.kernel.Libc;
import dev.hostshare.agent.kernel.MountFlags;
import dev.hostshare.agent.remote.SessionOptions;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A share to be mounted.
 *
 * @param mountPoint absolute
 * @param flags mount flags by name
 */
record MountRequest(
    SessionOptions session, String share, Path mountPoint, Driver driver, List<String> flags) {
  private static final Logger log = LoggerFactory.getLogger(MountRequest.class);

  /** Whether it is to be mounted read-only, whatever the share is. */
  boolean isReadOnly() {
    return (MountFlags.of(flags) & MountFlags.MS_RDONLY) != 0;
  }

  /**
   * Connects and mounts; usable when it returns.
   *
   * @throws IOException if that fails; the message says what to do
   */
  ActiveMount mount() throws IOException {
    return prepare().mount();
  }

  /**
   * Connects, and sees to it that there is a folder to mount on.
   *
   * @throws IOException if that fails; the message says what to do
   */
  PreparedMount prepare() throws IOException {
    FileSystem fs = FileSystem.connect(session, share);
    try {
      return new PreparedMount(this, fs, prepareMountPoint());
    } catch (IOException | RuntimeException | Error e) {
      fs.close();
      throw e;
    }
  }

  /** The mount point, if it had to be made. */
  private Optional<MadeFolder> prepareMountPoint() throws IOException {
    Optional<MountTable.Mount> there = MountTable.at(mountPoint);
    if (there.isPresent() && there.get().isOurs()) {
      if (ControlClient.owner(mountPoint).isPresent()) {
        throw new IOException(
            "%s is busy: share %s is mounted there. Unmount it with `hostshare-agent umount %s`."
                .formatted(mountPoint, there.get().source(), mountPoint));
      }
      // The process that served it was killed: every use of it is ENOTCONN.
      log.info("{}: removing the dead mount of {}", mountPoint, there.get().source());
      Libc.umount2(mountPoint.toString(), Libc.MNT_DETACH);
    }
    if (Files.isDirectory(mountPoint)) {
      return Optional.empty();
    }
    if (Files.exists(mountPoint, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(
          "mount point %s is not a directory: give another one after the share"
              .formatted(mountPoint));
    }
    try {
      Optional<MadeFolder> made = MadeFolder.make(mountPoint);
      made.ifPresent(_ -> log.info("{}: created the mount point", mountPoint));
      return made;
    } catch (FileSystemException e) {
      throw new IOException(
          "cannot create mount point %s: %s"
              .formatted(mountPoint, e.getReason() != null ? e.getReason() : e.toString()),
          e);
    }
  }
}
