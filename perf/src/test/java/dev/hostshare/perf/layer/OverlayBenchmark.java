package dev.hostshare.perf.layer;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.overlay.OverlayRecord;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.fileserver.overlay.Place;
import dev.hostshare.fileserver.overlay.RecordChange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** The overlay metadata store with 100,000 records, on the disk of the temporary folder. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class OverlayBenchmark {
  private static final int RECORDS = 100_000;
  private static final FileId DIRECTORY = new FileId(1, 2, 3);

  private Path folder;
  private OverlayStore store;
  private int next;

  @Setup
  public void make() throws IOException, ErrnoException {
    folder = Files.createTempDirectory("hostshare-bench");
    store = OverlayStore.open(folder);
    for (int i = 0; i < RECORDS; i++) {
      store.change(file(i), place(i), new RecordChange().uid(i).gid(i).mode(0644));
    }
  }

  @TearDown
  public void remove() throws IOException {
    store.close();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  private static FileId file(int i) {
    return new FileId(1, 1000L + i, 7);
  }

  private static Place place(int i) {
    String name = "file-" + i;
    return new Place(DIRECTORY, name.getBytes(StandardCharsets.US_ASCII), "/share/" + name);
  }

  private int next() {
    next = (next + 7919) % RECORDS;
    return next;
  }

  /** A file without a record: what nearly every stat asks. */
  @Benchmark
  public OverlayRecord none() throws ErrnoException {
    return store.get(new FileId(2, next(), 7));
  }

  /** A record at hand. */
  @Benchmark
  public OverlayRecord get() throws ErrnoException {
    return store.get(file(next() % 10_000));
  }

  /** chmod of a file with a record. */
  @Benchmark
  public OverlayRecord chmod() throws ErrnoException {
    int i = next();
    return store.change(file(i), place(i), new RecordChange().mode(i & 0777));
  }

  /** What a file's creation and removal add to the host's. */
  @Benchmark
  public void makeAndRemove() throws ErrnoException {
    FileId id = new FileId(3, next(), 7);
    store.change(id, place(RECORDS + next), new RecordChange().uid(0).gid(0).mode(0644));
    store.remove(id);
  }
}
