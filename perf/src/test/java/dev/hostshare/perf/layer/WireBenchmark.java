package dev.hostshare.perf.layer;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Getattr;
import dev.hostshare.proto.v1.ServerFrame;
import java.io.IOException;
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

/** The contract's messages: to bytes and back. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class WireBenchmark {
  private static final int MIB = 1 << 20;

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
          .setBtime(1_700_000_000_000_000_000L)
          .build();

  private final ServerFrame data =
      ServerFrame.newBuilder().setSeq(42).setData(ByteString.copyFrom(new byte[MIB])).build();

  private final byte[] wire = data.toByteArray();

  /** The request and the reply of a stat, made, written, read. */
  @Benchmark
  public long getattr() throws IOException {
    byte[] request =
        ClientFrame.newBuilder()
            .setSeq(42)
            .setAcked(41)
            .setGetattr(Getattr.newBuilder().setNode(1000))
            .build()
            .toByteArray();
    byte[] reply =
        ServerFrame.newBuilder()
            .setSeq(ClientFrame.parseFrom(request).getSeq())
            .setAttr(attr)
            .build()
            .toByteArray();
    return ServerFrame.parseFrom(reply).getAttr().getSize();
  }

  /** 1 MiB of a file's content: written to one array. */
  @Benchmark
  public byte[] writeMiB() {
    return data.toByteArray();
  }

  /** 1 MiB of a file's content: read from one array. */
  @Benchmark
  public int readMiB() throws IOException {
    return ServerFrame.parseFrom(wire).getData().size();
  }
}
