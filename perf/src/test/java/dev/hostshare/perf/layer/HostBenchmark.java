package dev.hostshare.perf.layer;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.host.LinuxHost;
import dev.hostshare.proto.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
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

/** The host file system through the foreign function interface: system calls on what is cached. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class HostBenchmark {
  private static final byte[] FILE = "file".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] MADE = "made".getBytes(StandardCharsets.US_ASCII);
  private static final int PAGE = 4096;

  private final LinuxHost host = new LinuxHost();
  private final MemorySegment page = Arena.ofAuto().allocate(PAGE);
  private Path folder;
  private int dir;
  private int file;

  @Setup
  public void make() throws IOException, ErrnoException {
    folder = Files.createTempDirectory("hostshare-bench");
    Files.write(folder.resolve("file"), new byte[PAGE]);
    dir = host.openRoot(folder);
    file = host.open(dir, FILE, Linux.O_RDWR, 0);
  }

  @TearDown
  public void remove() throws IOException {
    host.close(file);
    host.close(dir);
    Files.delete(folder.resolve("file"));
    Files.delete(folder);
  }

  /** statx(2) by name in a directory that is open. */
  @Benchmark
  public HostStat stat() throws ErrnoException {
    return host.stat(dir, FILE);
  }

  /** openat2(2) and close(2). */
  @Benchmark
  public void openClose() throws ErrnoException {
    host.close(host.open(dir, FILE, Linux.O_RDONLY, 0));
  }

  /** openat2(2) of a new file, close(2), unlinkat(2). */
  @Benchmark
  public void createUnlink() throws ErrnoException {
    host.close(host.open(dir, MADE, Linux.O_RDWR | Linux.O_CREAT | Linux.O_EXCL, 0600));
    host.unlink(dir, MADE);
  }

  /** pread(2) of 4 KiB. */
  @Benchmark
  public int readPage() throws ErrnoException {
    return host.read(file, page, 0);
  }

  /** utimensat(2), the host's part of a chmod. */
  @Benchmark
  public void touch() throws ErrnoException {
    host.setTimes(dir, FILE, HostFs.NOW, HostFs.NOW);
  }
}
