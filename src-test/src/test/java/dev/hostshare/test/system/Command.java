package dev.hostshare.test.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A command that was run to its end.
 *
 * @param said standard output and standard error, as they came
 */
public record Command(List<String> line, int status, String said) {
  /** For what takes no time worth mentioning; fails the test when it is over. */
  public static final Duration LIMIT = Duration.ofMinutes(1);

  public static Command run(String... line) {
    return run(LIMIT, new ProcessBuilder(line));
  }

  /**
   * Waits for the command itself, not for what it leaves running in the background.
   *
   * @throws AssertionError when it takes longer than the limit; it is killed then
   */
  public static Command run(Duration limit, ProcessBuilder builder) {
    Path output = null;
    try {
      output = Files.createTempFile("command", ".out");
      var process =
          builder
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .start();
      if (!process.waitFor(limit.toMillis(), MILLISECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new AssertionError(
            "not done after " + limit + ": " + builder.command() + "\n" + text(output));
      }
      return new Command(builder.command(), process.exitValue(), text(output));
    } catch (IOException e) {
      throw new AssertionError("cannot run " + builder.command(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted: " + builder.command(), e);
    } finally {
      delete(output);
    }
  }

  private static String text(Path output) throws IOException {
    return new String(Files.readAllBytes(output), UTF_8);
  }

  private static void delete(Path output) {
    try {
      if (output != null) {
        Files.deleteIfExists(output);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** What it said, without the line end; fails the test if its status is not 0. */
  public String expectSuccess() {
    if (status != 0) {
      throw new AssertionError("status " + status + " of " + line + "\n" + said);
    }
    return said.strip();
  }

  /** What it said; fails the test if its status is 0. */
  public String expectFailure() {
    if (status == 0) {
      throw new AssertionError("should have failed: " + line + "\n" + said);
    }
    return said;
  }
}
