package dev.hostshare.test.vm;

import dev.hostshare.test.system.Command;
import dev.hostshare.test.system.Installation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A Debian guest under QEMU, by {@code src-test/vm/guestvm}. It sees the host as 10.0.2.2. */
final class VirtualMachine implements AutoCloseable {
  static final String HOST = "10.0.2.2";
  private static final String SCRIPT =
      Installation.PROJECT.resolve("src-test/vm/guestvm").toString();

  /** The first start builds the image: a minute, and what the mirror takes. */
  private static final Duration START = Duration.ofMinutes(10);

  private static final String NAME = "test-" + ProcessHandle.current().pid();

  /** Ends the machine when the test's JVM is gone, however it went: its input ends with it. */
  private final Process watchdog;

  private VirtualMachine() {
    try {
      watchdog =
          command(List.of("setsid", "sh", "-c", "cat >/dev/null; exec \"$0\" stop", SCRIPT))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Boots it and starts its Docker engine. */
  static VirtualMachine start() {
    var machine = new VirtualMachine();
    try {
      run(START, "start", "--docker").expectSuccess();
      return machine;
    } catch (AssertionError e) {
      machine.close();
      throw e;
    }
  }

  private static Command run(Duration limit, String... arguments) {
    var line = new ArrayList<>(List.of(SCRIPT));
    line.addAll(Arrays.asList(arguments));
    return Command.run(limit, command(line));
  }

  private static ProcessBuilder command(List<String> line) {
    var builder = new ProcessBuilder(line);
    builder.environment().put("GUESTVM_NAME", NAME);
    builder.environment().put("GUESTVM_JDK", System.getProperty("java.home"));
    return builder;
  }

  /** Copies host files into a folder of the guest. */
  void push(String folder, Path... files) {
    var arguments = new ArrayList<>(List.of("push"));
    Arrays.stream(files).map(Path::toString).forEach(arguments::add);
    arguments.add(folder);
    run(Duration.ofMinutes(5), arguments.toArray(String[]::new)).expectSuccess();
  }

  /** Runs a script by the guest's bash, ended by its first failure; answers what it said. */
  String shell(Duration limit, String script) {
    var quoted = "'" + script.replace("'", "'\\''") + "'";
    return run(limit, "exec", "bash --norc -euo pipefail -c " + quoted).expectSuccess();
  }

  @Override
  public void close() {
    watchdog.destroyForcibly();
    run(Duration.ofMinutes(1), "stop").expectSuccess();
  }
}
