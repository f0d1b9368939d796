package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.sys.Errno;
import dev.hostshare.perf.sys.SystemCallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** POSIX locks that nobody else wants: what asking costs. */
final class Locking {
  private static final int PAIRS = 4096;

  private final MemorySegment path;
  private final int pairs;

  private Locking(Place place) {
    Arena arena = place.arena();
    pairs = place.scale().operations(PAIRS);
    path = arena.allocateFrom(place.folder().resolve("lock").toString());
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        Workload.named("lock", "lock + unlock")
            .standsFor("SQLite, git, package managers")
            .quick()
            .with(Workload.Trait.PACED)
            .keeps(_ -> new Footprint("lock", Content.PAGE, 1))
            .run((p, watch) -> at(p).lock(watch)));
  }

  private static Locking at(Place place) {
    return place.keep(Locking.class, "lock", Locking::new);
  }

  private void lock(Stopwatch watch) throws IOException {
    int fd = Calls.open(path, Calls.O_RDWR | Calls.O_CREAT, 0644);
    try {
      int number = watch.within(pairs);
      for (int i = 0; i < number; i++) {
        long begin = watch.begin();
        Calls.lock(fd);
        Calls.unlock(fd);
        watch.end(begin);
      }
    } catch (SystemCallException e) {
      if (e.errno() == Errno.ENOSYS || e.errno() == Errno.EOPNOTSUPP) {
        throw new UnavailableException("this file system has no POSIX locks");
      }
      throw e;
    } finally {
      Calls.close(fd);
    }
  }
}
