package dev.hostshare.perf.mount;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An installation of hostshare: its server as nobody, its agent as root, by a Unix socket. */
public final class HostShare implements Target {
  /** nobody and nogroup. */
  private static final int UID = 65534;

  private static final int GID = 65534;

  private final String name;
  private final Path work;
  private final Path given;
  private final Path prefix;
  private final Path share;
  private final Path socket;
  private final MountPoint mountPoint;
  private Daemon server;

  /**
   * Starts nothing yet.
   *
   * @param prefix an installation, or a work tree in which bin/setup has been run: that is
   *     installed into {@code work}, because nobody may not be able to enter it
   * @param work a folder of its own
   */
  public HostShare(String name, Path prefix, Path work) throws IOException {
    this.name = name;
    this.work = work;
    given = prefix;
    this.prefix = installation(prefix, work);
    share = ownFolder("share");
    socket = ownFolder("run").resolve("sock");
    ownFolder("state");
    mountPoint = new MountPoint(work.resolve("mount"));
  }

  private static Path installation(Path prefix, Path work) throws IOException {
    if (Files.isDirectory(prefix.resolve("lib/fileserver"))) {
      return prefix;
    }
    Path installer = prefix.resolve("bin/install");
    if (!Files.isExecutable(installer)) {
      throw new IOException("neither an installation of hostshare nor its work tree: " + prefix);
    }
    Path installed = work.resolve("installation");
    Command.run(installer.toString(), installed.toString());
    return installed;
  }

  private Path ownFolder(String folder) throws IOException {
    Path made = Files.createDirectory(work.resolve(folder));
    Files.setAttribute(made, "unix:uid", UID);
    Files.setAttribute(made, "unix:gid", GID);
    return made;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Path folder() {
    return mountPoint.path();
  }

  @Override
  public Path backing() {
    return share;
  }

  @Override
  public String version() throws IOException {
    return Command.run(launcher("hostshare"), "--version") + " in " + given;
  }

  private String launcher(String program) {
    return prefix.resolve("bin").resolve(program).toString();
  }

  @Override
  public void start() throws IOException {
    server =
        Daemon.startUntilSaid(
            asNobody(
                launcher("hostshare"),
                "serve",
                "--state",
                work.resolve("state").toString(),
                "--listen",
                "unix:" + socket,
                "--share",
                share.toString()),
            Map.of(),
            said -> said.startsWith("hostshare: ready"));
    mountPoint.mountedBy(
        Daemon.startUntilSaid(
            List.of(
                launcher("hostshare-agent"),
                "mount",
                "--foreground",
                "--server",
                "unix:" + socket,
                share.toString(),
                folder().toString()),
            Map.of("HOSTSHARE_RUN", work.resolve("agent").toString()),
            said -> said.endsWith("is mounted")));
  }

  private static List<String> asNobody(String... line) {
    var whole =
        new ArrayList<>(
            List.of("setpriv", "--reuid=" + UID, "--regid=" + GID, "--clear-groups", "--"));
    whole.addAll(List.of(line));
    return whole;
  }

  @Override
  public void stop() throws IOException {
    mountPoint.unmount();
    if (server != null) {
      server.close();
      server = null;
    }
  }

  @Override
  public void close() throws IOException {
    try {
      mountPoint.close();
    } finally {
      if (server != null) {
        server.close();
      }
    }
  }
}
