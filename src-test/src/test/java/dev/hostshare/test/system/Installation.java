package dev.hostshare.test.system;

import static java.nio.file.attribute.PosixFilePermissions.fromString;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the tests run: launchers and jars copied by {@code bin/install} to where every user can read
 * them, which the work tree need not be.
 */
public final class Installation {
  /** The work tree: Maven runs tests in the module's folder. */
  public static final Path PROJECT = Path.of("").toAbsolutePath().getParent();

  private static final Path PREFIX = install();

  private Installation() {}

  private static Path install() {
    try {
      var prefix = newFolder("hostshare-installed");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(prefix)));
      Command.run(PROJECT.resolve("bin/install").toString(), prefix.toString()).expectSuccess();
      return prefix;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A new folder below /tmp that every user may enter. */
  public static Path newFolder(String prefix) throws IOException {
    var folder = Files.createTempDirectory(Path.of("/tmp"), prefix);
    return Files.setPosixFilePermissions(folder, fromString("rwxr-xr-x"));
  }

  /** Removes a tree, but nothing that is mounted in it. */
  public static void remove(Path folder) {
    Command.run("rm", "-rf", "--one-file-system", folder.toString()).expectSuccess();
  }

  /** The folder that holds bin and lib. */
  public static Path prefix() {
    return PREFIX;
  }

  /** The command line of {@code bin/hostshare}. */
  public static List<String> server(String... arguments) {
    return line("bin/hostshare", arguments);
  }

  /** The command line of {@code bin/hostshare-agent}. */
  public static List<String> agent(String... arguments) {
    return line("bin/hostshare-agent", arguments);
  }

  private static List<String> line(String program, String... arguments) {
    var line = new ArrayList<String>();
    line.add(PREFIX.resolve(program).toString());
    line.addAll(Arrays.asList(arguments));
    return line;
  }
}
