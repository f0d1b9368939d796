package dev.hostshare.perf.mount;

import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A way to a folder.
 *
 * <p>Made, then started and stopped any number of times, then closed once. What making it starts
 * must be there before any target is mounted: see {@link Sshfs}.
 */
public sealed interface Target extends AutoCloseable permits PlainFolder, Bindfs, Sshfs, HostShare {
  String name();

  /** Where the files are seen, once started. */
  Path folder();

  /** The same folder on the disk. */
  Path backing();

  /** What was measured, for the reader: a version. */
  String version() throws IOException;

  /** Mounts it, and starts what serves it. */
  void start() throws IOException;

  /** Unmounts it, and ends what serves it. Does nothing if it is not started. */
  void stop() throws IOException;

  /** Starts it anew with nothing cached on either side. */
  default void makeCold() throws IOException {
    stop();
    dropCaches();
    start();
  }

  /** Ends whatever is left of it, even if that is busy. */
  @Override
  void close() throws IOException;

  /** Makes the kernel forget pages, dentries and inodes of the whole machine: see proc(5). */
  static void dropCaches() throws IOException {
    Calls.sync();
    Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "3");
  }
}
