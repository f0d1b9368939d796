package dev.hostshare.test.system;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.Caller;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.FileServiceGrpc;
import dev.hostshare.proto.v1.Hello;
import dev.hostshare.proto.v1.Mount;
import dev.hostshare.proto.v1.Mounted;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Welcome;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** A session that sends whatever frames it likes: a guest whose kernel cannot be trusted. */
final class RawClient implements AutoCloseable {
  private final MultiThreadIoEventLoopGroup loop;
  private final ManagedChannel channel;
  private final StreamObserver<ClientFrame> out;
  private final AtomicLong lastSeq = new AtomicLong();
  private final Map<Long, CompletableFuture<ServerFrame>> waiting = new ConcurrentHashMap<>();
  private final CompletableFuture<Welcome> welcome = new CompletableFuture<>();
  private final CompletableFuture<Status> ended = new CompletableFuture<>();

  private RawClient(MultiThreadIoEventLoopGroup loop, ManagedChannel channel) {
    this.loop = loop;
    this.channel = channel;
    this.out =
        FileServiceGrpc.newStub(channel)
            .attach(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerFrame frame) {
                    receive(frame);
                  }

                  @Override
                  public void onError(Throwable e) {
                    end(Status.fromThrowable(e));
                  }

                  @Override
                  public void onCompleted() {
                    end(Status.OK);
                  }
                });
  }

  /** Connects to a server's Unix socket; sends nothing yet. */
  static RawClient connect(Path socket) {
    var loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    var channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .eventLoopGroup(loop)
            .channelType(EpollDomainSocketChannel.class, DomainSocketAddress.class)
            .usePlaintext()
            .build();
    return new RawClient(loop, channel);
  }

  /** Connects and begins a session. */
  static RawClient attach(Path socket) {
    var client = connect(socket);
    client.send(hello());
    client.awaitWelcome();
    return client;
  }

  static ClientFrame hello() {
    return ClientFrame.newBuilder()
        .setHello(
            Hello.newBuilder().setVersion(1).setMaxPayload(1 << 20).setClient("a hostile guest"))
        .build();
  }

  private void receive(ServerFrame frame) {
    if (frame.hasWelcome()) {
      welcome.complete(frame.getWelcome());
    } else if (frame.getSeq() != 0) {
      waiting.remove(frame.getSeq()).complete(frame);
    }
  }

  private void end(Status status) {
    ended.complete(status);
    welcome.completeExceptionally(status.asRuntimeException());
    waiting.values().forEach(reply -> reply.completeExceptionally(status.asRuntimeException()));
  }

  Welcome awaitWelcome() {
    return await(welcome);
  }

  /** "welcome", or the code of the status with which the server refused. */
  String awaitWelcomeOrEnd() {
    return await(
        welcome.thenApply(ignored -> "welcome").exceptionally(e -> ended.join().getCode().name()));
  }

  /** The status with which the server ended the session. */
  Status awaitEnd() {
    return await(ended);
  }

  boolean hasEnded() {
    return ended.isDone();
  }

  private static <T> T await(CompletableFuture<T> future) {
    try {
      return future.get(30, SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** Sends a frame as it is. */
  void send(ClientFrame frame) {
    synchronized (out) {
      out.onNext(frame);
    }
  }

  /** Sends a request as the guest's root, with the next number. */
  CompletableFuture<ServerFrame> begin(ClientFrame.Builder request) {
    var reply = new CompletableFuture<ServerFrame>();
    synchronized (out) {
      long seq = lastSeq.incrementAndGet();
      waiting.put(seq, reply);
      if (ended.isDone()) {
        reply.completeExceptionally(new IllegalStateException("the session has ended"));
      } else {
        out.onNext(
            request
                .setSeq(seq)
                .setAcked(Math.max(0, seq - 1000))
                .setCaller(Caller.newBuilder().setPid(1))
                .build());
      }
    }
    return reply;
  }

  ServerFrame call(ClientFrame.Builder request) {
    return await(begin(request));
  }

  /** Mounts a share; fails the test if the server does not let us. */
  Mounted mount(String path) {
    var reply = call(ClientFrame.newBuilder().setMount(Mount.newBuilder().setPath(path)));
    if (reply.getErrno() != 0) {
      throw new AssertionError("mount: errno " + reply.getErrno());
    }
    return reply.getMounted();
  }

  static ByteString bytes(String name) {
    return ByteString.copyFrom(name, StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    loop.shutdownGracefully(0, 1, SECONDS).syncUninterruptibly();
  }
}
