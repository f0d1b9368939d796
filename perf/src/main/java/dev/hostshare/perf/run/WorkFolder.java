package dev.hostshare.perf.run;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A folder of our own in somebody else's folder: all that we make is in it, and it goes in the end.
 * A file in it says whose it is, so that what a killed run has left is told from what is in use.
 */
final class WorkFolder implements AutoCloseable {
  private static final String PREFIX = ".fsbench-";
  private static final String OWNER = "owner";

  private final Path path;

  private WorkFolder(Path path) {
    this.path = path;
  }

  /** Makes one in {@code parent}. */
  static WorkFolder make(Path parent) throws IOException {
    String random = Long.toString(ThreadLocalRandom.current().nextLong(1L << 40, 1L << 41), 36);
    Path made = Files.createDirectory(parent.resolve(PREFIX + random));
    var folder = new WorkFolder(made);
    try {
      Files.writeString(
          made.resolve(OWNER),
          "pid=%d\nprocess=%s\nboot=%s\nstarted=%s\n"
              .formatted(
                  ProcessHandle.current().pid(),
                  processStart(ProcessHandle.current()),
                  boot(),
                  Instant.now().truncatedTo(ChronoUnit.SECONDS)));
      return folder;
    } catch (IOException e) {
      folder.close();
      throw e;
    }
  }

  Path path() {
    return path;
  }

  String name() {
    return path.getFileName().toString();
  }

  /** Whether it is still there, and ours: not where its file system has gone. */
  boolean isThere() {
    return Files.exists(path.resolve(OWNER));
  }

  /** Removes it, but nothing that is mounted in it. */
  @Override
  public void close() throws IOException {
    Command.runRegardless("rm", "-rf", "--one-file-system", path.toString());
  }

  /** What other runs have in {@code parent}, each with a sentence that says how it stands. */
  static List<String> others(Path parent) throws IOException {
    var sentences = new ArrayList<String>();
    try (Stream<Path> entries = Files.list(parent)) {
      for (Path other :
          entries.filter(e -> e.getFileName().toString().startsWith(PREFIX)).toList()) {
        sentences.add(sentence(other));
      }
    }
    return sentences;
  }

  private static String sentence(Path folder) {
    var owner = new Properties();
    try {
      owner.load(new StringReader(Files.readString(folder.resolve(OWNER), UTF_8)));
    } catch (IOException | IllegalArgumentException e) {
      return folder + " does not say whose it is: left as it is";
    }
    String started = owner.getProperty("started", "an unknown time");
    if (!boot().equals(owner.getProperty("boot"))) {
      return "%s was made at %s by another machine, or before this one was started: remove it if nobody uses it: rm -r %s"
          .formatted(folder, started, folder);
    }
    if (isRunning(owner)) {
      return "%s is of another run, which is at work: figures of both will suffer"
          .formatted(folder);
    }
    return "%s was left at %s by a run that was killed: remove it: rm -r %s"
        .formatted(folder, started, folder);
  }

  private static boolean isRunning(Properties owner) {
    try {
      Optional<ProcessHandle> process =
          ProcessHandle.of(Long.parseLong(owner.getProperty("pid", "")));
      return process.map(p -> processStart(p).equals(owner.getProperty("process"))).orElse(false);
    } catch (NumberFormatException e) {
      return false;
    }
  }

  /** Process ids are used again. */
  private static String processStart(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toString).orElse("");
  }

  private static String boot() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id"), UTF_8).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
