package dev.hostshare.perf.workload;

import static dev.hostshare.perf.measure.Unit.OPERATIONS_PER_SECOND;
import static java.util.concurrent.TimeUnit.SECONDS;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * Several threads at once. Readers read pages of one file at random places; writers write pages of
 * a file of their own each, one after the other. Their rates add up; checking what was read is not
 * in them.
 */
final class Concurrent {
  private static final List<Integer> THREADS = List.of(1, 4, 16);
  private static final int OPERATIONS = 8192;
  private static final int WRITTEN_PAGES = 512;
  private static final int PAGE = Content.PAGE;
  private static final int ENDING_SECONDS = 60;

  private final Path folder;
  private final Content content;
  private final int operations;
  private int writing;

  private Concurrent(Path folder, Scale scale, Content content) {
    this.folder = folder;
    this.content = content;
    operations = scale.operations(OPERATIONS);
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return Stream.concat(
            THREADS.stream().map(Concurrent::readers), THREADS.stream().map(Concurrent::writers))
        .toList();
  }

  private static Workload readers(int threads) {
    return Workload.named(
            "readers-" + threads, threads + (threads == 1 ? " reader" : " readers") + ", 4 KiB")
        .standsFor("servers and parallel builds that read")
        .in(OPERATIONS_PER_SECOND)
        .warm()
        .keeps(s -> new Footprint("big", s.size(), 1))
        .prepare(p -> BigFile.big(p).ensure())
        .run((p, watch) -> at(p).read(BigFile.big(p), threads, watch));
  }

  private static Workload writers(int threads) {
    return Workload.named(
            "writers-" + threads, threads + (threads == 1 ? " writer" : " writers") + ", 4 KiB")
        .standsFor("servers and parallel builds that write")
        .in(OPERATIONS_PER_SECOND)
        .keeps(_ -> new Footprint("writers", 16L * WRITTEN_PAGES * PAGE, 16))
        .check(p -> at(p).checkWritten(threads))
        .run((p, watch) -> at(p).write(threads, watch));
  }

  private static Concurrent at(Place place) {
    return place.keep(
        Concurrent.class,
        "writers",
        p -> new Concurrent(p.folder(), p.scale(), p.content("writers")));
  }

  /** What one of the threads does. */
  private interface Part {
    void run(Stopwatch watch, MemorySegment page) throws IOException;
  }

  private void read(BigFile file, int threads, Stopwatch watch) throws IOException {
    var parts = new ArrayList<Part>();
    for (int t = 0; t < threads; t++) {
      int seed = t;
      parts.add((own, page) -> readPages(file, operations / threads, seed, own, page));
    }
    together(parts, watch);
  }

  private static void readPages(
      BigFile file, int count, int seed, Stopwatch watch, MemorySegment page) throws IOException {
    String name = file.path().getString(0);
    var places = new Random(seed).longs(count, 0, file.size() / PAGE).toArray();
    int fd = Calls.open(file.path(), Calls.O_RDONLY, 0);
    try {
      for (long place : places) {
        long begin = watch.begin();
        Calls.pread(fd, page, place * PAGE);
        watch.end(begin, 1, PAGE);
        file.content().check(page, place * PAGE, name);
      }
    } finally {
      Calls.close(fd);
    }
  }

  private void write(int threads, Stopwatch watch) throws IOException {
    writing++;
    var parts = new ArrayList<Part>();
    for (int t = 0; t < threads; t++) {
      int number = t;
      parts.add((own, page) -> writePages(number, operations / threads, own, page));
    }
    together(parts, watch);
  }

  private Content contentOf(int number) {
    return content.of(number).of(writing);
  }

  private Path file(int number) {
    return folder.resolve("writer-" + number);
  }

  /** Over and over the same pages: the last one's content is that of the first, again. */
  private void writePages(int number, int count, Stopwatch watch, MemorySegment page)
      throws IOException {
    Content own = contentOf(number);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocateFrom(file(number).toString());
      int fd = Calls.open(path, Calls.O_WRONLY | Calls.O_CREAT, 0644);
      try {
        for (int i = 0; i < count; i++) {
          long place = (long) (i % WRITTEN_PAGES) * PAGE;
          own.fill(page, place);
          long begin = watch.begin();
          Calls.pwrite(fd, page, place);
          watch.end(begin, 1, PAGE);
        }
      } finally {
        long begin = System.nanoTime();
        Calls.close(fd);
        watch.charge(begin);
      }
    }
  }

  private void checkWritten(int threads) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment page = arena.allocate(PAGE, PAGE);
      for (int t = 0; t < threads; t++) {
        int pages = Math.min(WRITTEN_PAGES, operations / threads);
        int fd = Calls.open(arena.allocateFrom(file(t).toString()), Calls.O_RDONLY, 0);
        try {
          for (int i = 0; i < pages; i++) {
            Calls.pread(fd, page, (long) i * PAGE);
            contentOf(t).check(page, (long) i * PAGE, file(t).toString());
          }
        } finally {
          Calls.close(fd);
        }
      }
    }
  }

  /** All begin at the same time. If one fails, the others are ended. */
  private static void together(List<Part> parts, Stopwatch watch) throws IOException {
    var watches = new ArrayList<Stopwatch>();
    var go = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(parts.size());
    try {
      var running = new ArrayList<Future<?>>();
      for (Part part : parts) {
        var own = Stopwatch.unpaced();
        watches.add(own);
        running.add(
            threads.submit(
                () -> {
                  try (Arena arena = Arena.ofConfined()) {
                    MemorySegment page = arena.allocate(PAGE, PAGE);
                    go.await();
                    part.run(own, page);
                  }
                  return null;
                }));
      }
      go.countDown();
      for (Future<?> one : running) {
        one.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException failure) {
        throw failure;
      }
      throw new IOException("a thread has failed: " + e.getCause(), e.getCause());
    } finally {
      end(threads);
    }
    watch.together(watches);
  }

  /** Nothing of it may be at work when the files are removed. */
  private static void end(ExecutorService threads) throws IOException {
    threads.shutdownNow();
    boolean wasInterrupted = Thread.interrupted();
    try {
      if (!threads.awaitTermination(ENDING_SECONDS, SECONDS)) {
        throw new IOException("a thread does not come back from the file system");
      }
    } catch (InterruptedException e) {
      wasInterrupted = true;
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
