package dev.hostshare.perf.workload;

import com.google.common.base.Splitter;
import java.nio.file.Files;
import java.nio.file.Path;

/** Which programs there are. */
final class Installed {
  private static final Splitter FOLDERS = Splitter.on(':').omitEmptyStrings();

  private Installed() {}

  static boolean has(String program) {
    String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
    return FOLDERS
        .splitToStream(path)
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  /**
   * Checks that a program is there.
   *
   * @throws UnavailableException otherwise
   */
  static void need(String program) throws UnavailableException {
    if (!has(program)) {
      throw new UnavailableException(program + " is not installed");
    }
  }
}
