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
import java.util.stream.Stream;

/**
 * Programs that are run to their end. They are in a session of their own, out of reach of a
 * terminal's Ctrl-C: it would end them before we hear of it, and look like a failure of theirs. On
 * an interrupt they are killed, with all that they have started.
 */
public final class Command {
  /** Far more than any of them takes. */
  private static final Duration LIMIT = Duration.ofMinutes(10);

  /** Cleaning up is not given up: what it has to remove may be large, and far away. */
  private static final Duration CLEANING_LIMIT = Duration.ofDays(365);

  /** A program in a file system that does not answer cannot be killed. */
  private static final int KILLING_SECONDS = 10;

  /** What Java says of a program that SIGINT has ended, and a shell of one that it has run. */
  private static final int BY_SIGINT = 130;

  private record Ended(int status, String said) {}

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

  /** As {@link #run(String...)}, with what else the builder says. */
  public static String run(ProcessBuilder builder) throws IOException {
    return runApart(builder, LIMIT);
  }

  /**
   * As {@link #run(String...)}, for what may have to ask somebody at the terminal, as sudo(8) does.
   * There a Ctrl-C does end it, which is an interrupt, too.
   */
  public static void runAtTerminal(String... line) throws IOException {
    Ended ended = await(new ProcessBuilder(line), LIMIT);
    if (ended.status == BY_SIGINT) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
    check(ended, List.of(line));
  }

  /** As {@link #run(String...)}, for cleaning up: an interrupt does not end it early. */
  public static void runRegardless(String... line) throws IOException {
    boolean wasInterrupted = false;
    while (true) {
      wasInterrupted |= Thread.interrupted();
      try {
        runApart(new ProcessBuilder(line), CLEANING_LIMIT);
        break;
      } catch (InterruptedIOException e) {
        // Again: what cleans up can be repeated.
      }
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static String runApart(ProcessBuilder builder, Duration limit) throws IOException {
    List<String> line = builder.command();
    var whole = new ArrayList<>(List.of("setsid"));
    whole.addAll(line);
    return check(await(builder.command(whole), limit), line);
  }

  private static String check(Ended ended, List<String> line) throws IOException {
    if (ended.status != 0) {
      throw new IOException(String.join(" ", line) + " failed: " + ended.said);
    }
    return ended.said;
  }

  private static Ended await(ProcessBuilder builder, Duration limit) throws IOException {
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
        isDone = process.waitFor(limit.toSeconds(), SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted");
      } finally {
        if (!isDone) {
          kill(process);
        }
      }
      String said = Files.readString(output, UTF_8).strip();
      if (!isDone) {
        throw new IOException(
            "%s is not done after %s: %s"
                .formatted(String.join(" ", builder.command()), limit, said));
      }
      return new Ended(process.exitValue(), said);
    } finally {
      Files.deleteIfExists(output);
    }
  }

  /** Returns when it has ended: nothing of it may be at work where we clean up. */
  private static void kill(Process process) {
    List<ProcessHandle> all =
        Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
    // What it starts meanwhile is in its group.
    Calls.killGroup((int) process.pid());
    all.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle one : all) {
      one.onExit().completeOnTimeout(one, KILLING_SECONDS, SECONDS).join();
    }
  }
}
