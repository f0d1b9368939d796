package dev.hostshare.perf.mount;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * sshfs over loopback to an sshd of its own, both with their defaults. The sshd lives as long as
 * this object; its part that serves files lives as long as the mount.
 */
public final class Sshfs implements Target {
  private static final String SFTP_SERVER = "/usr/lib/openssh/sftp-server";

  /** sshd insists on this folder, which a machine without a running sshd does not have. */
  private static final String IN_OWN_RUN =
      "mount -t tmpfs -o mode=755 run /run && mkdir /run/sshd && exec \"$@\"";

  private final String program;
  private final Path work;
  private final Path backing;
  private final MountPoint mountPoint;
  private final int port;
  private final Daemon sshd;

  /**
   * Starts the sshd, in a mount namespace of its own: with a copy of every mount there is, which
   * would keep a target that is mounted now from ever being unmounted.
   *
   * @param work a folder of its own
   */
  public Sshfs(Path work) throws IOException {
    this.work = work;
    program = Packages.find("sshfs", "sshfs");
    String server = Packages.find("sshd", "openssh-server");
    if (!Files.isExecutable(Path.of(SFTP_SERVER))) {
      throw new IOException(
          SFTP_SERVER + " is missing: `apt-get install openssh-sftp-server`, or leave sshfs out");
    }
    backing = Files.createDirectory(work.resolve("folder"));
    mountPoint = new MountPoint(work.resolve("mount"));
    port = freePort();
    makeKey("host");
    makeKey("user");
    Files.writeString(
        work.resolve("known_hosts"),
        "[127.0.0.1]:%d %s".formatted(port, Files.readString(work.resolve("host.pub"))));
    Path config = work.resolve("sshd_config");
    Files.writeString(config, config());
    sshd =
        Daemon.startUntilSaid(
            List.of(
                "unshare",
                "--mount",
                "--propagation=private",
                "sh",
                "-c",
                IN_OWN_RUN,
                "sh",
                server,
                "-D",
                "-e",
                "-f",
                config.toString()),
            Map.of(),
            said -> said.startsWith("Server listening"));
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void makeKey(String name) throws IOException {
    Command.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", work.resolve(name).toString());
  }

  private String config() {
    return """
    ListenAddress 127.0.0.1:%1$d
    HostKey %2$s/host
    AuthorizedKeysFile %2$s/user.pub
    PidFile none
    StrictModes no
    UsePAM no
    PasswordAuthentication no
    KbdInteractiveAuthentication no
    PermitRootLogin prohibit-password
    Subsystem sftp %3$s
    """
        .formatted(port, work, SFTP_SERVER);
  }

  @Override
  public String name() {
    return "sshfs";
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
    // Other lines are about the libraries.
    String sshfs =
        Command.run(program, "--version")
            .lines()
            .filter(line -> line.startsWith("SSHFS"))
            .findFirst()
            .orElse("sshfs");
    return sshfs + ", " + Command.run("ssh", "-V");
  }

  @Override
  public void start() throws IOException {
    mountPoint.mountedBy(
        Daemon.startUntilMounted(
            List.of(
                program,
                "-f",
                "-F",
                "/dev/null",
                "-p",
                Integer.toString(port),
                "-o",
                "IdentityFile=%s/user".formatted(work),
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "UserKnownHostsFile=%s/known_hosts".formatted(work),
                "-o",
                "StrictHostKeyChecking=yes",
                "root@127.0.0.1:" + backing,
                folder().toString()),
            folder()));
  }

  @Override
  public void stop() throws IOException {
    mountPoint.unmount();
  }

  @Override
  public void close() throws IOException {
    try {
      mountPoint.close();
    } finally {
      sshd.close();
    }
  }
}
