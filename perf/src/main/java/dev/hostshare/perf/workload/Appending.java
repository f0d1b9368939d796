package dev.hostshare.perf.workload;

import static dev.hostshare.perf.measure.Unit.OPERATIONS_PER_SECOND;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Short lines at the end of a file, one write(2) each, as a log is written. */
final class Appending {
  private static final int LINE = 128;
  private static final int LINES = 8192;

  private final Path file;
  private final MemorySegment path;
  private final MemorySegment line;
  private final Content content;
  private final MemorySegment page;
  private final int lines;
  private int writing;
  private int written;

  private Appending(Path file, Scale scale, Content content, Arena arena) {
    this.file = file;
    lines = scale.operations(LINES);
    this.content = content;
    path = arena.allocateFrom(file.toString());
    line = arena.allocate(LINE, Long.BYTES);
    page = arena.allocate(Content.PAGE, Long.BYTES);
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        Workload.named("append", "append lines of 128 bytes")
            .standsFor("logs")
            .in(OPERATIONS_PER_SECOND)
            .quick()
            .with(Workload.Trait.PACED)
            .keeps(_ -> new Footprint("log", (long) LINES * LINE, 1))
            .prepare(p -> at(p).remove())
            .check(p -> at(p).check())
            .run((p, watch) -> at(p).append(watch)));
  }

  private static Appending at(Place place) {
    return place.keep(
        Appending.class,
        "log",
        p -> new Appending(p.folder().resolve("log"), p.scale(), p.content("log"), p.arena()));
  }

  private void remove() throws IOException {
    Files.deleteIfExists(file);
    writing++;
  }

  private void append(Stopwatch watch) throws IOException {
    int flags = Calls.O_WRONLY | Calls.O_CREAT | Calls.O_APPEND;
    Content own = content.of(writing);
    written = watch.within(lines);
    int fd = Calls.open(path, flags, 0644);
    try {
      for (int i = 0; i < written; i++) {
        own.fill(line, (long) i * LINE);
        long begin = watch.begin();
        Calls.write(fd, line);
        watch.end(begin, 1, LINE);
      }
    } finally {
      long begin = System.nanoTime();
      Calls.close(fd);
      watch.charge(begin);
    }
  }

  private void check() throws IOException {
    long length = (long) written * LINE;
    if (Calls.size(path) != length) {
      throw new WrongDataException(
          "%d bytes instead of %d: %s".formatted(Calls.size(path), length, file));
    }
    int fd = Calls.open(path, Calls.O_RDONLY, 0);
    try {
      for (long at = 0; at < length; at += Content.PAGE) {
        MemorySegment part = page.asSlice(0, Math.min(Content.PAGE, length - at));
        Calls.pread(fd, part, at);
        content.of(writing).check(part, at, file.toString());
      }
    } finally {
      Calls.close(fd);
    }
  }
}
