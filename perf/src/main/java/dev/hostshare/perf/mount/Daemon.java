package dev.hostshare.perf.mount;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** A program that runs until it is told to end. */
final class Daemon implements AutoCloseable {
  private static final int LIMIT_SECONDS = 30;
  private static final int LINES_KEPT = 50;

  private final String name;
  private final Process process;
  private final Queue<String> said = new ArrayDeque<>();
  private final CountDownLatch ready = new CountDownLatch(1);

  private Daemon(String name, Process process) {
    this.name = name;
    this.process = process;
  }

  /** Starts a program; returns when it has said a line that means that it is ready. */
  static Daemon startUntilSaid(
      List<String> line, Map<String, String> environment, Predicate<String> isReady)
      throws IOException {
    Daemon daemon = launch(line, environment, isReady);
    daemon.await(() -> daemon.ready.getCount() == 0);
    return daemon;
  }

  /** Starts a program; returns when it has mounted something at {@code mountPoint}. */
  static Daemon startUntilMounted(List<String> line, Path mountPoint) throws IOException {
    Daemon daemon = launch(line, Map.of(), said -> false);
    daemon.await(() -> MountPoint.isMounted(mountPoint));
    return daemon;
  }

  private static Daemon launch(
      List<String> line, Map<String, String> environment, Predicate<String> isReady)
      throws IOException {
    // setsid(1) does not fork here: the process id stays that of the program.
    var whole = new ArrayList<>(List.of("setsid"));
    whole.addAll(line);
    var builder =
        new ProcessBuilder(whole)
            .redirectErrorStream(true)
            .redirectInput(Path.of("/dev/null").toFile());
    builder.environment().putAll(environment);
    var daemon = new Daemon(line.getFirst(), builder.start());
    Thread.ofPlatform().daemon().start(() -> daemon.follow(isReady));
    return daemon;
  }

  private void follow(Predicate<String> isReady) {
    try (BufferedReader lines = process.inputReader(UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        synchronized (said) {
          said.add(line);
          if (said.size() > LINES_KEPT) {
            said.remove();
          }
        }
        if (isReady.test(line)) {
          ready.countDown();
        }
      }
    } catch (IOException | UncheckedIOException e) {
      // It was killed: nobody asks any more.
    }
  }

  /** A mount has no event to wait for that is simpler than to look again. */
  private void await(BooleanSupplier isReady) throws IOException {
    long end = System.nanoTime() + SECONDS.toNanos(LIMIT_SECONDS);
    try {
      while (!isReady.getAsBoolean()) {
        if (process.waitFor(2, MILLISECONDS) || System.nanoTime() > end) {
          throw new IOException(name + " did not start: " + said());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new InterruptedIOException("interrupted");
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private String said() {
    synchronized (said) {
      return String.join("\n", said);
    }
  }

  /** Waits for its end after it has been unmounted. */
  void awaitEnd() throws IOException {
    try {
      if (!process.waitFor(LIMIT_SECONDS, SECONDS)) {
        throw new IOException(name + " does not end after it has been unmounted: " + said());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  /** SIGTERM; SIGKILL, for its children too, if that does not help. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(LIMIT_SECONDS, SECONDS)) {
        kill();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      kill();
    }
  }

  private void kill() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }
}
