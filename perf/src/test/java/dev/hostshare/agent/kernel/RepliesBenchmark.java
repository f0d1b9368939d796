package dev.hostshare.agent.kernel;

import dev.hostshare.agent.fs.NodeAttr;
import dev.hostshare.agent.fs.NodeEntry;
import dev.hostshare.proto.v1.Attr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The FUSE protocol: replies in the kernel's form. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RepliesBenchmark {
  private static final long HOUR = TimeUnit.HOURS.toNanos(1);

  private final Attr attr =
      Attr.newBuilder()
          .setIno(1_234_567)
          .setMode(0100644)
          .setNlink(1)
          .setUid(1000)
          .setGid(1000)
          .setSize(4096)
          .setBlocks(8)
          .setMtime(1_700_000_000_000_000_000L)
          .setCtime(1_700_000_000_000_000_000L)
          .build();

  private final NodeEntry entry = new NodeEntry(42, attr, HOUR, HOUR);
  private final NodeAttr attributes = new NodeAttr(attr, HOUR);
  private final MemorySegment out = Arena.ofAuto().allocate(1024);

  /** What LOOKUP is answered with. */
  @Benchmark
  public MemorySegment entry() {
    FuseEncoder.ENTRY.encode(entry, out);
    return out;
  }

  /** What GETATTR is answered with. */
  @Benchmark
  public MemorySegment attributes() {
    FuseEncoder.ATTR.encode(attributes, out);
    return out;
  }
}
