package dev.hostshare.test.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.test.posix.ErrnoException;
import dev.hostshare.test.posix.Identity;
import dev.hostshare.test.posix.Stat;
import dev.hostshare.test.posix.Task;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.function.Executable;

/** What a case is given: a fresh folder of its own and tasks that end with it. */
final class Scene implements AutoCloseable {
  static final Identity USER = new Identity(1001, 1001, List.of(2001));

  /** Shares no id and no group with {@link #USER}. */
  static final Identity STRANGER = new Identity(1002, 1002);

  /** The folder, mode 0755, owned by {@link #me}; no slash at its end. */
  final String dir;

  /** Who the case is run as. */
  final Task me;

  final Task root;
  private final Optional<Path> namespace;
  private final Deque<Task> tasks = new ArrayDeque<>();
  private final List<Process> processes = new ArrayList<>();

  Scene(String dir, Identity identity, Optional<Path> namespace) {
    this.dir = dir;
    this.namespace = namespace;
    this.root = task(Identity.ROOT);
    this.me = identity.uid() == 0 ? task(Identity.ROOT) : task(identity);
    root.mkdir(dir, 0755);
    root.chown(dir, identity.uid(), identity.gid());
  }

  /** A path below the folder. */
  String at(String name) {
    return dir + "/" + name;
  }

  /** One more task, at home in the same mount namespace. */
  Task task(Identity identity) {
    var task = Task.start(identity, namespace);
    tasks.push(task);
    return task;
  }

  /** A second process of the same user. */
  Task another() {
    return task(me.identity());
  }

  /** Starts a command as root in the same mount namespace; it is killed with the case. */
  Process spawn(String... command) throws java.io.IOException {
    var line = new ArrayList<String>();
    namespace.ifPresent(file -> line.addAll(List.of("nsenter", "--mount=" + file, "--")));
    line.addAll(List.of(command));
    var process = new ProcessBuilder(line).redirectErrorStream(true).start();
    processes.add(process);
    return process;
  }

  /** Runs a command as root in the same mount namespace; answers what it said. */
  String run(String... command) throws java.io.IOException, InterruptedException {
    var process = spawn(command);
    var said = new String(process.getInputStream().readAllBytes(), ISO_8859_1);
    if (!process.waitFor(60, SECONDS)) {
      throw new AssertionError("hangs: " + List.of(command));
    }
    assertEquals(0, process.exitValue(), () -> List.of(command) + " said: " + said);
    return said;
  }

  static void assertErrno(int expected, Executable call) {
    var e = assertThrows(ErrnoException.class, call, "expected " + Errno.name(expected));
    assertEquals(Errno.name(expected), Errno.name(e.errno()), e.getMessage());
  }

  /** For where POSIX allows two errors and file systems use both. */
  static void assertErrno(int expected, int orElse, Executable call) {
    var e = assertThrows(ErrnoException.class, call);
    assertErrno(e.errno() == orElse ? orElse : expected, () -> rethrow(e));
  }

  private static void rethrow(ErrnoException e) {
    throw e;
  }

  /** Returns when the file system's clock has moved past every time stamp given out so far. */
  void awaitTick() {
    var probe = at(".tick");
    root.write(probe);
    var start = root.stat(probe).mtime();
    do {
      root.touch(probe);
    } while (!root.stat(probe).mtime().isAfter(start));
    root.unlink(probe);
  }

  /** Ends the tasks and removes the folder. */
  @Override
  public void close() {
    processes.forEach(Process::destroyForcibly);
    while (tasks.size() > 1) {
      tasks.pop().close();
    }
    try (var last = tasks.pop()) {
      remove(last, dir);
    }
  }

  private static void remove(Task task, String path) {
    Stat stat = task.lstat(path);
    if (!stat.isDirectory()) {
      task.unlink(path);
      return;
    }
    try (var fd = task.open(path, Linux.O_RDONLY | Linux.O_DIRECTORY)) {
      for (var entry : fd.listAll()) {
        if (!entry.isDots()) {
          remove(task, path + "/" + entry.name());
        }
      }
    }
    task.rmdir(path);
  }
}
