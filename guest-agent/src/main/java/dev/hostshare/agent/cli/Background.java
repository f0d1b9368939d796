package dev.hostshare.agent.cli;

import dev.hostshare.agent.kernel.Libc;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts the command into the background: runs it again in a process of its own and waits until that
 * says that the mount is usable, or why it is not.
 *
 * <p>The child's standard output is a pipe to us, on which it says one line: {@code ready}, or
 * {@code failed} and the reason. Its standard error is the log file, so that whatever a JVM has to
 * say is kept.
 */
final class Background {

  /** What the child is given in addition to the arguments of the command. */
  static final String CHILD_OPTION = "--report-readiness";

  private static final String READY = "ready";
  private static final String FAILED = "failed ";

  private Background() {}

  /**
   * Starts the child and waits for its line.
   *
   * @param arguments of the command, as the user gave them
   * @throws IOException if the child cannot be started, or says that it failed
   */
  static void start(List<String> arguments, Path logFile) throws IOException {
    Files.createDirectories(logFile.toAbsolutePath().getParent());
    var command = new ArrayList<>(launcher());
    command.addAll(arguments);
    command.add(CHILD_OPTION);
    Process child =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectError(ProcessBuilder.Redirect.appendTo(logFile.toFile()))
            .start();
    try (var lines =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
      String line = lines.readLine();
      if (line == null) {
        throw new IOException("the mount process ended at once: see " + logFile);
      }
      if (!line.equals(READY)) {
        throw new IOException(line.startsWith(FAILED) ? line.substring(FAILED.length()) : line);
      }
    }
  }

  /** The script that started us, or else this JVM with what it needs. */
  private static List<String> launcher() {
    String script = System.getProperty("hostshare.launcher");
    if (script != null) {
      return List.of(script);
    }
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-cp",
        System.getProperty("java.class.path"),
        "dev.hostshare.agent.Main");
  }

  /** In the child: leaves the terminal and the folder that the command was given in. */
  static void detach() {
    // EPERM: we lead a process group already, as under a service manager.
    Libc.setsid();
    Libc.chdir("/");
  }

  /** In the child: tells the parent that the mount is usable. */
  static void reportReady() {
    report(READY);
  }

  /** In the child: tells the parent, and through it the user, why there is no mount. */
  static void reportFailed(String reason) {
    report(FAILED + reason.replace('\n', ' '));
  }

  private static void report(String line) {
    var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    out.println(line);
    out.close();
  }

  /** {@code /var/log/hostshare/PATH-OF-THE-MOUNT.log}. */
  static Path defaultLog(Path mountPoint) {
    String name = mountPoint.toString().substring(1).replace('/', '-');
    return Path.of("/var/log/hostshare", (name.isEmpty() ? "root" : name) + ".log");
  }
}
