package dev.hostshare.perf.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * This machine.
 *
 * @param system the distribution's name
 * @param kernel its release
 * @param processor the model's name
 * @param processors how many this process may use
 * @param memory in bytes
 * @param java the version that the tool ran on
 */
public record Machine(
    String system, String kernel, String processor, int processors, long memory, String java) {
  /** Reads /proc and /etc/os-release. */
  public static Machine describe() throws IOException {
    Path release = Path.of("/etc/os-release");
    String system =
        Files.exists(release)
            ? value(release, "PRETTY_NAME", "=").orElse("Linux").replace("\"", "")
            : "Linux";
    Path processors = Path.of("/proc/cpuinfo");
    String processor =
        value(processors, "model name", ":")
            .or(() -> Optional.of(System.getProperty("os.arch")))
            .orElseThrow();
    long kib =
        value(Path.of("/proc/meminfo"), "MemTotal", ":")
            .map(text -> Long.parseLong(text.replace(" kB", "")))
            .orElseThrow(() -> new IOException("/proc/meminfo has no MemTotal"));
    return new Machine(
        system,
        System.getProperty("os.version"),
        processor,
        Runtime.getRuntime().availableProcessors(),
        kib << 10,
        System.getProperty("java.version"));
  }

  private static Optional<String> value(Path file, String key, String separator)
      throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(key) && line.contains(separator))
          .map(line -> line.substring(line.indexOf(separator) + 1).strip())
          .findFirst();
    }
  }
}
