package dev.hostshare.perf.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandTest {
  /** Fields of proc(5)'s stat after the program's name. */
  private static final int GROUP = 2;

  @TempDir Path folder;

  private static String group(String stat) {
    return stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[GROUP];
  }

  /** A terminal sends it to the process group in its foreground. */
  @Test
  void aTerminalsCtrlCIsNotForPrograms() throws IOException {
    String ours = group(Files.readString(Path.of("/proc/self/stat")));
    assertNotEquals(ours, group(Command.run("cat", "/proc/self/stat")));
  }

  @Test
  void anInterruptEndsAProgramAndWhatItHasStarted() throws Exception {
    // given a program, and one that was started by it and has lost its parent
    var started = folder.resolve("started");
    Command.run("mkfifo", started.toString());
    var running =
        new FutureTask<>(
            () ->
                Command.run(
                    "sh",
                    "-c",
                    "(sleep 1000 & echo $! $$ >\"$0\"); sleep 1000",
                    started.toString()));
    var thread = Thread.ofPlatform().start(running);
    var pids = Files.readString(started).strip().split(" ", -1);
    // when
    thread.interrupt();
    // then
    var ended = assertThrows(ExecutionException.class, () -> running.get(60, TimeUnit.SECONDS));
    assertInstanceOf(InterruptedIOException.class, ended.getCause());
    for (var pid : pids) {
      assertEnds(Long.parseLong(pid));
    }
  }

  private static void assertEnds(long pid) throws Exception {
    var handle = ProcessHandle.of(pid);
    if (handle.isPresent()) {
      handle.get().onExit().get(60, TimeUnit.SECONDS);
    }
    assertFalse(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
  }

  @Test
  void aFailureSaysWhatTheProgramSaid() {
    var failure =
        assertThrows(IOException.class, () -> Command.run("sh", "-c", "echo it is stuck; exit 3"));
    assertEquals("sh -c echo it is stuck; exit 3 failed: it is stuck", failure.getMessage());
  }

  @Test
  void cleaningUpGoesOnAfterAnInterrupt() throws IOException {
    Thread.currentThread().interrupt();
    Command.runRegardless("touch", folder.resolve("cleaned").toString());
    assertTrue(Thread.interrupted());
    assertTrue(Files.exists(folder.resolve("cleaned")));
  }
}
