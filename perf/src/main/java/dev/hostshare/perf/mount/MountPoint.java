package dev.hostshare.perf.mount;

import com.google.common.base.Splitter;
import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A folder that something is mounted on by a {@link Daemon}. */
final class MountPoint {
  private static final Splitter FIELDS = Splitter.on(' ');

  /** The field of a line of /proc/self/mountinfo: see proc(5). */
  private static final int PATH_FIELD = 4;

  private final Path path;
  private Daemon daemon;

  MountPoint(Path path) throws IOException {
    this.path = Files.createDirectory(path);
  }

  Path path() {
    return path;
  }

  static boolean isMounted(Path path) {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
      return lines.anyMatch(
          line -> FIELDS.splitToList(line).get(PATH_FIELD).equals(path.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What has just mounted it. */
  void mountedBy(Daemon newDaemon) {
    daemon = newDaemon;
  }

  /** Returns when the daemon has ended: nothing of what it had cached is left. */
  void unmount() throws IOException {
    if (daemon != null) {
      Command.run("umount", path.toString());
      daemon.awaitEnd();
      daemon = null;
    }
  }

  /** Even if it is busy, or was never mounted. */
  void close() throws IOException {
    if (isMounted(path)) {
      Command.runRegardless("umount", "--lazy", path.toString());
    }
    if (daemon != null) {
      daemon.close();
      daemon = null;
    }
  }
}
