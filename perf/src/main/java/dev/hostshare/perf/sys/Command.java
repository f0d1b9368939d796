package dev.hostshare.perf.sys;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Programs that are run to their end. */
public final class Command {
  /** Far more than any of them takes. */
  private static final Duration LIMIT = Duration.ofMinutes(10);

  private Command() {}

  /**
   * Runs a program; answers what it said, standard error included.
   *
   * @throws IOException if its status is not 0, with what it said
   */
  public static String run(String... line) throws IOException {
    return run(new ProcessBuilder(line));
  }

  /** As {@link #run(String...)}. */
  public static String run(List<String> line) throws IOException {
    return run(new ProcessBuilder(line));
  }

  /**
   * As {@link #run(String...)}, for cleaning up: neither an interrupt nor a Ctrl-C, which goes to
   * every program in the foreground, ends it early.
   */
  public static void runRegardless(String... line) throws IOException {
    var whole = new ArrayList<>(List.of("setsid"));
    whole.addAll(List.of(line));
    boolean wasInterrupted = false;
    while (true) {
      wasInterrupted |= Thread.interrupted();
      try {
        run(whole);
        break;
      } catch (InterruptedIOException e) {
        // Again: what cleans up can be repeated.
      }
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** As {@link #run(String...)}, with what else the builder says. */
  public static String run(ProcessBuilder builder) throws IOException {
    Path output = Files.createTempFile("hostshare-perf", ".out");
    try {
      Process process =
          builder
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .redirectInput(Path.of("/dev/null").toFile())
              .start();
      boolean isDone = false;
      try {
        isDone = process.waitFor(LIMIT.toSeconds(), SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      } finally {
        if (!isDone) {
          process.descendants().forEach(ProcessHandle::destroyForcibly);
          process.destroyForcibly();
        }
      }
      String said = Files.readString(output, UTF_8).strip();
      if (!isDone || process.exitValue() != 0) {
        throw new IOException(
            String.join(" ", builder.command())
                + (isDone ? " failed: " : " is not done after " + LIMIT + ": ")
                + said);
      }
      return said;
    } finally {
      Files.deleteIfExists(output);
    }
  }
}
