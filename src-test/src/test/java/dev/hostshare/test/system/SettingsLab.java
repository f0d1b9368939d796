package dev.hostshare.test.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A server over its list, and {@code hostshare settings} beside it, both as an ordinary user.
 *
 * <pre>
 * lab/home/
 * lab/state/
 * lab/admin/         at /etc/hostshare, for the server and the page
 * lab/a/in/
 * lab/a/.hidden/
 * lab/b/
 * </pre>
 */
final class SettingsLab implements AutoCloseable {
  private static final String LINK = "hostshare: settings at ";

  /** Runs a command in a mount namespace with the administrator of the lab $0. */
  private static final String INSIDE =
      """
      mkdir -p "$0"/etc
      mount -t tmpfs etc "$0"/etc
      mkdir "$0"/etc/upper "$0"/etc/work
      mount -t overlay overlay -o "lowerdir=/etc,upperdir=$0/etc/upper,workdir=$0/etc/work" /etc
      mkdir -p /etc/hostshare
      mount --bind "$0"/admin /etc/hostshare
      if [ -d "$0/me" ]; then
        mount -t tmpfs home /home
        mkdir /home/me
        mount --bind "$0/me" /home/me
      fi
      exec "$@"
      """;

  private final Path lab;
  private final Path desktop;
  private final String home;
  private final String state;
  private final LinkedBlockingQueue<String> links = new LinkedBlockingQueue<>();
  private final Queue<String> log = new ConcurrentLinkedQueue<>();
  private Server server;
  private Process page;

  SettingsLab() throws IOException {
    this("home", "state", List.of("a", "a/in", "a/.hidden", "b"));
  }

  private SettingsLab(String home, String state, List<String> folders) throws IOException {
    lab = Installation.newFolder("hostshare-settings");
    desktop = Installation.newFolder("hostshare-desktop");
    this.home = home;
    this.state = state;
    Files.createDirectory(lab.resolve("admin"));
    for (var name : folders) {
      Files.createDirectories(lab.resolve(name));
    }
    Files.createDirectories(lab.resolve(home));
    Files.createDirectories(lab.resolve(state));
    write("{\"version\": 1, \"shares\": []}");
    makeDesktop();
    for (var name : List.of(home, state, "a", "b")) {
      Command.run("chown", "-Rf", Server.UID + ":" + Server.GID, path(name));
    }
  }

  /** A desktop whose browser only writes down what it is to open. */
  private void makeDesktop() throws IOException {
    var browser = desktop.resolve("xdg-open");
    Files.writeString(browser, "#!/bin/sh\necho \"$1\" >\"${0%/*}/opened\"\n");
    Files.setPosixFilePermissions(browser, PosixFilePermissions.fromString("rwxr-xr-x"));
    Lab.own(desktop);
  }

  /** What the desktop's browser was to open; null before. */
  String opened() throws IOException {
    var opened = desktop.resolve("opened");
    return Files.exists(opened) && Files.size(opened) > 0 ? Files.readString(opened).strip() : null;
  }

  /**
   * One whose server and page have these folders in /home/me, and their state where it is by
   * default.
   */
  static SettingsLab atHome(List<String> folders) throws IOException {
    return new SettingsLab(
        "me", "me/.local/state/hostshare", folders.stream().map(name -> "me/" + name).toList());
  }

  String path(String name) {
    return lab.resolve(name).toString();
  }

  Path file() {
    return lab.resolve(state).resolve("settings.json");
  }

  /** The list, edited by hand. */
  void write(String text) throws IOException {
    Files.writeString(file(), text);
  }

  Path adminFile() {
    return lab.resolve("admin/admin-settings.json");
  }

  /** For guests. */
  String address() {
    return "unix:" + path(state) + "/sock";
  }

  private List<String> inside() {
    return List.of(
        "unshare", "--mount", "--propagation=private", "sh", "-euc", INSIDE, lab.toString());
  }

  private List<String> environment() {
    return List.of(
        "env", "HOME=" + seen(home), "DISPLAY=:9", "PATH=" + desktop + ":" + System.getenv("PATH"));
  }

  /** Where the server and the page have a folder of the lab. */
  private String seen(String name) {
    return home.equals("me") ? "/home/" + name : path(name);
  }

  Server serve(String... more) {
    var arguments =
        new ArrayList<>(
            List.of("--state", seen(state), "--listen", "unix:" + seen(state) + "/sock"));
    arguments.addAll(Arrays.asList(more));
    server = Server.startInside(inside(), environment(), arguments.toArray(String[]::new));
    return server;
  }

  Server server() {
    return server;
  }

  /** {@code hostshare shares ...}. */
  Command shares(String... arguments) {
    var line = new ArrayList<>(environment());
    line.addAll(Installation.server("shares"));
    line.addAll(Arrays.asList(arguments));
    line.addAll(List.of("--state", seen(state)));
    return Command.run(Command.LIMIT, new ProcessBuilder(Server.asUser(line)));
  }

  /** Starts {@code hostshare settings}; answers its link. */
  URI openPage() throws Exception {
    var line = new ArrayList<>(inside());
    var command = new ArrayList<>(environment());
    command.addAll(Installation.server("settings", "--state", seen(state)));
    line.addAll(Server.asUser(command));
    page = new ProcessBuilder(line).redirectErrorStream(true).start();
    var said = page.inputReader(UTF_8);
    var _ = Thread.ofPlatform().daemon().start(() -> follow(said));
    return nextLink();
  }

  private void follow(BufferedReader said) {
    said.lines()
        .forEach(
            line -> {
              log.add(line);
              if (line.startsWith(LINK)) {
                links.add(line.substring(LINK.length()));
              }
            });
  }

  /** Enter, in the terminal. */
  URI newLink() throws Exception {
    page.outputWriter(UTF_8).append("\n").flush();
    return nextLink();
  }

  private URI nextLink() throws InterruptedException {
    var link = links.poll(30, SECONDS);
    if (link == null) {
      throw new AssertionError("no link was printed: " + log());
    }
    return URI.create(link);
  }

  /** What the page's process and the server have said. */
  String log() {
    return String.join("\n", log) + "\n" + (server == null ? "" : server.log());
  }

  /** As Ctrl-C; answers the exit status. */
  int closePage() throws InterruptedException {
    Command.run("kill", "-INT", Long.toString(page.pid())).expectSuccess();
    if (!page.waitFor(30, SECONDS)) {
      throw new AssertionError("the page does not end: " + log());
    }
    return page.exitValue();
  }

  @Override
  public void close() {
    if (page != null) {
      page.destroyForcibly();
    }
    if (server != null) {
      server.close();
    }
    Installation.remove(lab);
    Installation.remove(desktop);
  }
}
