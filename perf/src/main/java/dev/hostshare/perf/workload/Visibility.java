package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.measure.Unit;
import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A change made at one place: how long until it is seen at the other? Who looks has looked before,
 * so that its caches know the state before the change, and looks again and again: there is no event
 * to wait for that all file systems have. Looking itself is part of the figure.
 */
final class Visibility {
  private static final int CHANGES = 10;

  /** Between two looks: more would say nothing more of delays that people notice. */
  private static final long LOOK_NANOS = 50_000;

  private static final long LIMIT_NANOS = 30_000_000_000L;

  /** After so long no further change is made: there is nothing to learn from ten that take 20 s. */
  private static final long ENOUGH_NANOS = 5_000_000_000L;

  private final Path folder;
  private final Path peer;
  private final Content content;
  private final MemorySegment here;
  private final MemorySegment there;
  private final MemorySegment written;
  private final MemorySegment read;
  private int writing;

  /** What is looked for at the other place. */
  private interface Look {
    boolean sees() throws IOException;
  }

  private Visibility(Path folder, Path peer, Content content, Arena arena) {
    this.folder = folder;
    this.peer = peer;
    this.content = content;
    here = arena.allocate(4096);
    there = arena.allocate(4096);
    written = arena.allocate(Content.PAGE, Long.BYTES);
    read = arena.allocate(Content.PAGE, Long.BYTES);
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    var workloads = new ArrayList<Workload>();
    for (boolean isBack : List.of(false, true)) {
      String way = isBack ? "-back" : "";
      String where = isBack ? ", made at the peer, seen at DIR" : ", made at DIR, seen at its peer";
      workloads.add(
          seen("visible-create" + way, "a new file" + where)
              .run((p, watch) -> at(p, isBack).creations(watch)));
      workloads.add(
          seen("visible-write" + way, "changed content" + where)
              .run((p, watch) -> at(p, isBack).writes(watch)));
      workloads.add(
          seen("visible-unlink" + way, "a removal" + where)
              .run((p, watch) -> at(p, isBack).removals(watch)));
    }
    return workloads;
  }

  private static Workload.Builder seen(String id, String title) {
    return Workload.named(id, title)
        .standsFor("an editor on one side, a server that reloads on the other")
        .in(Unit.MILLISECONDS)
        .quick()
        .with(Workload.Trait.PEER)
        .keeps(_ -> new Footprint("visible", CHANGES * Content.PAGE * 4L, CHANGES * 4));
  }

  private static Visibility at(Place place, boolean isBack) throws IOException {
    Path peer = place.peer();
    Path changed = isBack ? peer : place.folder();
    Path watched = isBack ? place.folder() : peer;
    return place.keep(
        Visibility.class,
        "visible" + isBack,
        p -> new Visibility(changed, watched, p.content("visible"), p.arena()));
  }

  private void name(int number) {
    String name = "visible-" + writing + "-" + number;
    here.setString(0, folder.resolve(name).toString());
    there.setString(0, peer.resolve(name).toString());
  }

  private void creations(Stopwatch watch) throws IOException {
    writing++;
    long enough = System.nanoTime() + ENOUGH_NANOS;
    for (int i = 0; i < CHANGES && (i == 0 || System.nanoTime() < enough); i++) {
      name(i);
      if (exists()) {
        throw new WrongDataException("a file that nobody has made: " + there.getString(0));
      }
      long begin = watch.begin();
      write(0);
      await(this::exists);
      watch.end(begin);
      Calls.unlink(here);
    }
  }

  private void writes(Stopwatch watch) throws IOException {
    writing++;
    name(0);
    write(0);
    await(() -> exists() && hasContent(0));
    long enough = System.nanoTime() + ENOUGH_NANOS;
    for (int i = 1; i <= CHANGES && (i == 1 || System.nanoTime() < enough); i++) {
      int number = i;
      long begin = watch.begin();
      write(number);
      await(() -> hasContent(number));
      watch.end(begin);
    }
    Calls.unlink(here);
  }

  private void removals(Stopwatch watch) throws IOException {
    writing++;
    long enough = System.nanoTime() + ENOUGH_NANOS;
    for (int i = 0; i < CHANGES && (i == 0 || System.nanoTime() < enough); i++) {
      name(i);
      write(0);
      await(this::exists);
      long begin = watch.begin();
      Calls.unlink(here);
      await(() -> !exists());
      watch.end(begin);
    }
  }

  private void write(int number) throws IOException {
    content.of(writing).of(number).fill(written, 0);
    int fd = Calls.open(here, Calls.O_WRONLY | Calls.O_CREAT, 0644);
    try {
      Calls.pwrite(fd, written, 0);
    } finally {
      Calls.close(fd);
    }
  }

  private boolean exists() throws IOException {
    return Calls.exists(there);
  }

  private boolean hasContent(int number) throws IOException {
    int fd = Calls.open(there, Calls.O_RDONLY, 0);
    try {
      if (Calls.read(fd, read) != Content.PAGE) {
        return false;
      }
    } finally {
      Calls.close(fd);
    }
    content.of(writing).of(number).fill(written, 0);
    return read.mismatch(written) < 0;
  }

  private void await(Look look) throws IOException {
    long end = System.nanoTime() + LIMIT_NANOS;
    while (!look.sees()) {
      if (System.nanoTime() > end) {
        throw new WrongDataException(
            "after 30 s, the change made at %s is not seen at %s"
                .formatted(here.getString(0), there.getString(0)));
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }
}
