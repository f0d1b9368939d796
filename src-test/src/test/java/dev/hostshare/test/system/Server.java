package dev.hostshare.test.system;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** {@code bin/hostshare serve}, run by an ordinary user who exists only as a number. */
public final class Server implements AutoCloseable {
  public static final int UID = 31337;
  public static final int GID = 31338;

  private final List<String> outside;
  private final List<String> wrapper;
  private final List<String> arguments;
  private final Queue<String> log = new ConcurrentLinkedQueue<>();
  private Process process;
  private Process watchdog;
  private Thread reader;

  private Server(List<String> outside, List<String> wrapper, List<String> arguments) {
    this.outside = outside;
    this.wrapper = wrapper;
    this.arguments = arguments;
  }

  /** Starts {@code serve} with these arguments; returns when it accepts connections. */
  public static Server start(String... arguments) {
    return startWrapped(List.of(), arguments);
  }

  /** As {@link #start}, through a command that limits it, such as {@code prlimit}. */
  public static Server startWrapped(List<String> wrapper, String... arguments) {
    return startInside(List.of(), wrapper, arguments);
  }

  /**
   * As {@link #startWrapped}, and that in turn through a command that root runs, such as {@code
   * unshare}.
   */
  public static Server startInside(
      List<String> outside, List<String> wrapper, String... arguments) {
    var server = new Server(outside, wrapper, List.of(arguments));
    server.start();
    return server;
  }

  /** Runs another command of {@code bin/hostshare} as the server's user. */
  public static Command command(String... arguments) {
    return Command.run(Command.LIMIT, new ProcessBuilder(asUser(Installation.server(arguments))));
  }

  /** A command line run as the server's user, who has no capability. */
  public static List<String> asUser(List<String> command) {
    var line =
        new ArrayList<>(
            List.of("setpriv", "--reuid=" + UID, "--regid=" + GID, "--clear-groups", "--"));
    line.addAll(command);
    return line;
  }

  /** Starts it again with the same arguments after {@link #stop} or {@link #kill}. */
  public void start() {
    var line = new ArrayList<>(outside);
    line.addAll(asUser(wrapper));
    var serve = new ArrayList<>(List.of("serve"));
    serve.addAll(arguments);
    line.addAll(Installation.server(serve.toArray(String[]::new)));
    var ready = new CompletableFuture<Void>();
    try {
      process = new ProcessBuilder(line).redirectErrorStream(true).start();
      // Ends the server when the test's JVM is gone, however it went: its input ends with it.
      watchdog =
          new ProcessBuilder("setsid", "sh", "-c", "cat >/dev/null; kill -9 " + process.pid())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    reader = Thread.ofPlatform().daemon().start(() -> follow(process, ready));
    try {
      ready.get(30, SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      close();
      throw new AssertionError("the server is not ready: " + line + "\n" + log(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void follow(Process process, CompletableFuture<Void> ready) {
    try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        log.add(line);
        if (line.startsWith("hostshare: ready")) {
          ready.complete(null);
        }
      }
    } catch (IOException e) {
      log.add(e.toString());
    }
    ready.completeExceptionally(new IllegalStateException("ended"));
  }

  public long pid() {
    return process.pid();
  }

  public String log() {
    return String.join("\n", log) + "\n";
  }

  /** SIGTERM, as systemd would; answers the exit status. */
  public int stop() {
    process.destroy();
    return awaitEnd();
  }

  /** SIGKILL: nothing that the server did not write down yet gets written. */
  public void kill() {
    process.destroyForcibly();
    awaitEnd();
  }

  private int awaitEnd() {
    try {
      if (!process.waitFor(30, SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("the server does not end\n" + log());
      }
      watchdog.destroyForcibly().waitFor();
      reader.join();
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    } else {
      // The number is free for another process.
      watchdog.destroyForcibly();
    }
  }
}
