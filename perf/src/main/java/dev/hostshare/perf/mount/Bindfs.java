package dev.hostshare.perf.mount;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** bindfs: a FUSE file system in C on the same machine, with its defaults. */
public final class Bindfs implements Target {
  private final String program;
  private final Path backing;
  private final MountPoint mountPoint;

  /**
   * Mounts nothing yet.
   *
   * @param work a folder of its own
   */
  public Bindfs(Path work) throws IOException {
    program = Packages.find("bindfs", "bindfs");
    backing = Files.createDirectory(work.resolve("folder"));
    mountPoint = new MountPoint(work.resolve("mount"));
  }

  @Override
  public String name() {
    return "bindfs";
  }

  @Override
  public Path folder() {
    return mountPoint.path();
  }

  @Override
  public Path backing() {
    return backing;
  }

  @Override
  public String version() throws IOException {
    return Command.run(program, "--version").lines().findFirst().orElse("");
  }

  @Override
  public void start() throws IOException {
    mountPoint.mountedBy(
        Daemon.startUntilMounted(
            List.of(program, "-f", backing.toString(), folder().toString()), folder()));
  }

  @Override
  public void stop() throws IOException {
    mountPoint.unmount();
  }

  @Override
  public void close() throws IOException {
    mountPoint.close();
  }
}
