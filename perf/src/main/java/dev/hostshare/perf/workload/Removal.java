package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/** A tree that {@code rm -rf} removes. */
final class Removal {
  private Removal() {}

  static void run(Path tree, Stopwatch watch) throws IOException {
    long begin = watch.begin();
    Command.run("rm", "-rf", tree.toString());
    watch.end(begin);
  }

  /** Nothing of it is there any more: rm says the same of what it could not see. */
  static void check(Path tree) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      if (Calls.exists(arena.allocateFrom(tree.toString()))) {
        throw new WrongDataException("a tree that was removed: " + tree);
      }
    }
  }
}
