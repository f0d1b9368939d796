package dev.hostshare.perf.mount;

import static com.google.common.collect.ImmutableList.toImmutableList;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What must be installed. */
final class Packages {
  private static final ImmutableList<Path> FOLDERS =
      ImmutableList.of(Path.of("/usr/bin"), Path.of("/usr/sbin"), Path.of("/bin"));

  private Packages() {}

  /**
   * Checks that a program is there; answers its path.
   *
   * @throws IOException that names the Debian package
   */
  static String find(String program, String debianPackage) throws IOException {
    List<Path> found =
        FOLDERS.stream()
            .map(folder -> folder.resolve(program))
            .filter(Files::isExecutable)
            .collect(toImmutableList());
    if (found.isEmpty()) {
      throw new IOException(
          program
              + " is not installed: `apt-get install "
              + debianPackage
              + "`, or leave its target out by --targets");
    }
    return found.getFirst().toString();
  }
}
