package dev.hostshare.perf.layer;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.AttributeChange;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.NodeAttr;
import dev.hostshare.agent.fs.NodeEntry;
import dev.hostshare.agent.fs.Reply;
import dev.hostshare.agent.fs.RequestContext;
import dev.hostshare.agent.remote.ServerAddress;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.agent.remote.TransportSecurity;
import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.export.ShareSpec;
import dev.hostshare.fileserver.rpc.FileServer;
import dev.hostshare.fileserver.rpc.ListenAddress;
import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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

/**
 * From the agent's inode core to the host and back over a Unix socket: everything but the guest's
 * kernel. Both ends are in one process here, on event loops of their own, and the caller is a third
 * thread, as the agent's is not: one wake-up each way more than a mount has.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RoundTripBenchmark {
  private static final ByteString NAME = ByteString.copyFromUtf8("user.absent");

  private Path folder;
  private FileServer server;
  private FileSystem fs;
  private long file;
  private int mode;

  @Setup
  public void start() throws Exception {
    folder = Files.createTempDirectory("hostshare-bench");
    Path share = Files.createDirectory(folder.resolve("share")).toRealPath();
    Files.writeString(share.resolve("file"), "content");
    Path socket = folder.resolve("socket");
    server =
        new FileServer(
            new FileServer.Config(
                folder.resolve("state"),
                List.of(ListenAddress.parse("unix:" + socket)),
                List.of(ShareSpec.parse(share.toString(), OwnerPolicy.parse("host"))),
                null,
                false,
                1000,
                "benchmark"));
    fs =
        FileSystem.connect(
            new SessionOptions(
                ServerAddress.parse("unix:" + socket),
                TransportSecurity.NONE,
                SessionOptions.DEFAULT_TIMEOUT,
                "benchmark"),
            share.toString());
    file =
        RoundTripBenchmark.<NodeEntry>await(
                reply ->
                    fs.names()
                        .lookup(RequestContext.NONE, 1, ByteString.copyFromUtf8("file"), reply))
            .id();
  }

  @TearDown
  public void stop() throws IOException {
    fs.close();
    server.close();
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static <T> T await(Consumer<Reply<T>> operation) throws Exception {
    var answer = new CompletableFuture<T>();
    operation.accept(
        new Reply<>() {
          @Override
          protected void sendSuccess(T value) {
            answer.complete(value);
          }

          @Override
          protected void sendError(int errno) {
            answer.completeExceptionally(new IOException(Errno.name(errno)));
          }
        });
    return answer.get();
  }

  /** A round trip with one system call on the host. */
  @Benchmark
  public NodeAttr getattr() throws Exception {
    return await(reply -> fs.attributes().getattr(RequestContext.NONE, file, 0, reply));
  }

  /** A round trip with a record's change. */
  @Benchmark
  public NodeAttr chmod() throws Exception {
    mode = (mode + 1) & 0777;
    var change = new AttributeChange(0, mode, null, null, null, null, null, false);
    return await(reply -> fs.attributes().setattr(RequestContext.NONE, file, change, reply));
  }

  /** Answered by the agent: what is left without a round trip. */
  @Benchmark
  public Object local() throws Exception {
    var answer = new CompletableFuture<Object>();
    fs.xattrs()
        .getxattr(
            RequestContext.NONE,
            file,
            NAME,
            new Reply<>() {
              @Override
              protected void sendSuccess(ByteString value) {
                answer.complete(value);
              }

              @Override
              protected void sendError(int errno) {
                answer.complete(errno);
              }
            });
    return answer.get();
  }
}
