package dev.hostshare.test.system;

import static java.nio.file.attribute.PosixFilePermissions.fromString;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A server over one shared folder, a guest, and the folder mounted in it. */
public final class Lab implements AutoCloseable {
  private static final Set<Lab> OPEN = ConcurrentHashMap.newKeySet();

  private final Driver driver;
  private final Path folder;
  private final String shareOptions;
  private final List<String> serveOptions;
  private Server server;
  private Guest guest;

  private Lab(Driver driver, Path folder, String shareOptions, String... serveOptions) {
    this.serveOptions = List.of(serveOptions);
    this.driver = driver;
    this.folder = folder;
    this.shareOptions = shareOptions;
  }

  /** The share with owner policy {@code host}, mounted by the selected driver. */
  public static Lab start() {
    return start(Driver.selected(), "");
  }

  /**
   * Starts a server, a guest and the mount.
   *
   * @param shareOptions what follows the folder in {@code --share}, such as {@code ,owner=caller}
   * @param mountOptions more arguments of {@code mount}
   */
  public static Lab start(Driver driver, String shareOptions, String... mountOptions) {
    return start(driver, shareOptions, List.of(), mountOptions);
  }

  /**
   * As {@link #start(Driver, String, String...)}.
   *
   * @param serveOptions more arguments of {@code serve}
   */
  public static Lab startWith(Driver driver, String shareOptions, String... serveOptions) {
    return start(driver, shareOptions, List.of(serveOptions));
  }

  private static Lab start(
      Driver driver, String shareOptions, List<String> serveOptions, String... mountOptions) {
    Lab lab = null;
    try {
      lab =
          new Lab(
              driver,
              Installation.newFolder("hostshare-lab"),
              shareOptions,
              serveOptions.toArray(String[]::new));
      OPEN.add(lab);
      lab.makeFolders();
      lab.guest = Guest.start();
      if (driver != Driver.PLAIN) {
        lab.server = Server.start(lab.serveArguments());
      }
      lab.mount(mountOptions);
      return lab;
    } catch (IOException | RuntimeException | AssertionError e) {
      var failure = new AssertionError(e.getMessage() + (lab == null ? "" : lab.logs()), e);
      if (lab != null) {
        lab.close();
      }
      throw failure;
    }
  }

  private void makeFolders() throws IOException {
    for (var name : List.of("share", "state", "run")) {
      var made = Files.createDirectory(folder.resolve(name));
      Files.setPosixFilePermissions(made, fromString("rwxr-xr-x"));
      if (driver != Driver.PLAIN) {
        own(made);
      }
    }
    Files.createDirectory(folder.resolve("mnt"));
  }

  /** Gives a host file to the server's user. */
  public static void own(Path path) throws IOException {
    Files.setAttribute(path, "unix:uid", Server.UID);
    Files.setAttribute(path, "unix:gid", Server.GID);
  }

  /** As {@link #own}; returns the file. */
  static Path owned(Path path) throws IOException {
    own(path);
    return path;
  }

  private String[] serveArguments() {
    var arguments =
        new ArrayList<>(
            List.of(
                "--state",
                state().toString(),
                "--listen",
                address(),
                "--share",
                host() + shareOptions));
    arguments.addAll(serveOptions);
    return arguments.toArray(String[]::new);
  }

  /** The address of the server's socket, as {@code --listen} and {@code --server} take it. */
  public String address() {
    return "unix:" + socket();
  }

  /** The server's socket. */
  Path socket() {
    return folder.resolve("run/sock");
  }

  /** A folder of the lab's own, outside the share, that every user may enter. */
  public Path folder() {
    return folder;
  }

  /** The shared folder on the host. */
  public Path host() {
    return folder.resolve("share");
  }

  public Path state() {
    return folder.resolve("state");
  }

  /** The mount point in the guest. */
  public String mnt() {
    return folder.resolve("mnt").toString();
  }

  public Guest guest() {
    return guest;
  }

  public Server server() {
    return server;
  }

  public Driver driver() {
    return driver;
  }

  /** Whether there are a server and an agent at all. */
  public boolean isServed() {
    return driver != Driver.PLAIN;
  }

  public void mount(String... options) {
    if (driver == Driver.PLAIN) {
      guest.run("mount", "--bind", host().toString(), mnt()).expectSuccess();
      return;
    }
    agent(mountArguments(mnt(), options).toArray(String[]::new)).expectSuccess();
  }

  private List<String> mountArguments(String mountPoint, String... options) {
    var arguments =
        new ArrayList<>(
            List.of(
                "mount",
                "--server",
                address(),
                host().toString(),
                mountPoint,
                "--driver",
                driver.option()));
    arguments.addAll(Arrays.asList(options));
    return arguments;
  }

  public void unmount() {
    if (driver == Driver.PLAIN) {
      guest.run("umount", mnt()).expectSuccess();
    } else {
      agent("umount", mnt()).expectSuccess();
    }
  }

  /** Runs {@code bin/hostshare-agent} in the guest. */
  public Command agent(String... arguments) {
    return guest.run(Duration.ofMinutes(1), Installation.agent(arguments));
  }

  /** Runs another command of {@code bin/hostshare} on this lab's state, as the server's user. */
  public Command hostshare(String... arguments) {
    var line = new ArrayList<>(Arrays.asList(arguments));
    line.addAll(List.of("--state", state().toString()));
    return Server.command(line.toArray(String[]::new));
  }

  /** A clean restart of the server; the guest mounts anew. */
  public void restartEverything() {
    unmount();
    if (isServed()) {
      server.stop();
      server.start();
    }
    mount();
  }

  /** What server and agent have logged. */
  String logs() {
    var logs = new StringBuilder("\n---- server\n");
    logs.append(server == null ? "none\n" : server.log());
    if (guest != null) {
      logs.append("---- guest: agent and others\n")
          .append(
              guest.run("sh", "-c", "cd /var/log && find . -type f | xargs -r tail -n 200").said());
    }
    return logs.toString();
  }

  static void printLogs() {
    OPEN.forEach(lab -> System.err.println(lab.logs()));
  }

  @Override
  public void close() {
    OPEN.remove(this);
    try {
      if (guest != null) {
        guest.close();
      }
    } finally {
      if (server != null) {
        server.close();
      }
    }
    Installation.remove(folder);
  }
}
