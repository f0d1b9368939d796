package dev.hostshare.agent.testing;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.FileServiceGrpc;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.Invalidate;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Share;
import dev.hostshare.proto.v1.SharesChanged;
import dev.hostshare.proto.v1.Welcome;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Serves a {@link MemoryShare} on a Unix socket, keeps sessions as the contract says, and can be
 * stopped, started again with or without its memory of sessions, and told to hold answers back.
 * Thread-safe.
 */
public final class FakeServer extends FileServiceGrpc.FileServiceImplBase {
  public final MemoryShare share = new MemoryShare();

  private final Path socket;
  private final EventLoopGroup eventLoop =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final BlockingQueue<ClientFrame> received = new LinkedBlockingQueue<>();
  private final BlockingQueue<Forget> forgets = new LinkedBlockingQueue<>();
  private final Map<ByteString, Map<Long, ServerFrame>> sessions = new HashMap<>();
  private final Map<Long, ClientFrame> held = new TreeMap<>();
  private ClientFrame.OpCase holding;
  private StreamObserver<ServerFrame> client;
  private Map<Long, ServerFrame> kept;
  private Server server;
  private int maxInFlight = 16;
  private int maxNodes;
  private int sessionCount;

  public FakeServer(Path socket) throws IOException {
    this.socket = socket;
    start();
  }

  public void start() throws IOException {
    server =
        NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .channelType(EpollServerDomainSocketChannel.class)
            .bossEventLoopGroup(eventLoop)
            .workerEventLoopGroup(eventLoop)
            .directExecutor()
            .addService(this)
            .build()
            .start();
  }

  /** Breaks all connections and stops to listen. */
  public void stop() throws InterruptedException {
    server.shutdownNow();
    server.awaitTermination();
    synchronized (this) {
      client = null;
      held.clear();
    }
  }

  /** Forgets all sessions, as a restart of the process does. */
  public synchronized void forgetSessions() {
    sessions.clear();
    share.newSession();
  }

  /** Nodes that a session may have, from the next welcome on. */
  public synchronized void maxNodes(int limit) {
    maxNodes = limit;
  }

  public synchronized void maxInFlight(int limit) {
    maxInFlight = limit;
  }

  /**
   * Leaves requests of this kind, and what is to be done after them, without an answer until {@link
   * #release}; null: none.
   */
  public synchronized void hold(ClientFrame.OpCase op) {
    holding = op;
  }

  /** Answers what was held back. */
  public synchronized void release() {
    holding = null;
    List<ClientFrame> frames = new ArrayList<>(held.values());
    held.clear();
    frames.forEach(frame -> reply(frame, share.answer(frame)));
  }

  /** Answers what was held back of this kind, and goes on holding as told. */
  public synchronized void releaseOnly(ClientFrame.OpCase op) {
    List<ClientFrame> frames =
        held.values().stream().filter(frame -> frame.getOpCase() == op).toList();
    frames.forEach(frame -> held.remove(frame.getSeq()));
    frames.forEach(frame -> reply(frame, share.answer(frame)));
  }

  /** The next request that is executed or held, hello and forget left out. */
  public ClientFrame next() throws InterruptedException {
    ClientFrame frame = received.poll(10, TimeUnit.SECONDS);
    if (frame == null) {
      throw new AssertionError("no request came");
    }
    return frame;
  }

  /** The next lookup counts that are given back. */
  public Forget nextForget() throws InterruptedException {
    Forget forget = forgets.poll(10, TimeUnit.SECONDS);
    if (forget == null) {
      throw new AssertionError("nothing was forgotten");
    }
    return forget;
  }

  public int requestsSeen() {
    return received.size();
  }

  public synchronized void invalidate(Invalidate invalidate) {
    client.onNext(ServerFrame.newBuilder().setInvalidate(invalidate).build());
  }

  /** Tells the client that these are the shares now; a new session finds the one that there is. */
  public synchronized void changeShares(List<Share> shares) {
    client.onNext(
        ServerFrame.newBuilder()
            .setSharesChanged(SharesChanged.newBuilder().addAllShares(shares))
            .build());
  }

  @Override
  public StreamObserver<ClientFrame> attach(StreamObserver<ServerFrame> responses) {
    return new StreamObserver<>() {
      @Override
      public void onNext(ClientFrame frame) {
        receive(frame, responses);
      }

      @Override
      public void onError(Throwable t) {}

      @Override
      public void onCompleted() {
        responses.onCompleted();
      }
    };
  }

  private synchronized void receive(ClientFrame frame, StreamObserver<ServerFrame> from) {
    switch (frame.getOpCase()) {
      case HELLO -> welcome(frame, from);
      case FORGET -> {
        forgets.add(frame.getForget());
        for (Forget.One one : frame.getForget().getNodesList()) {
          share.forget(one.getNode(), one.getCount());
        }
      }
      case CANCEL -> {
        ClientFrame waiting = held.remove(frame.getCancel().getSeq());
        if (waiting != null) {
          reply(waiting, ServerFrame.newBuilder().setErrno(Errno.EINTR));
        }
      }
      default -> execute(frame);
    }
  }

  private void welcome(ClientFrame frame, StreamObserver<ServerFrame> from) {
    ByteString id = frame.getHello().getResume();
    boolean resumed = sessions.containsKey(id);
    if (!resumed) {
      id = ByteString.copyFromUtf8("session-" + ++sessionCount);
      sessions.put(id, new HashMap<>());
    }
    kept = sessions.get(id);
    client = from;
    from.onNext(
        ServerFrame.newBuilder()
            .setWelcome(
                Welcome.newBuilder()
                    .setVersion(1)
                    .setSession(id)
                    .setResumed(resumed)
                    .setMaxPayload(1 << 20)
                    .setMaxInFlight(maxInFlight)
                    .setKeepsOrder(true)
                    .setMaxNodes(maxNodes)
                    .setServer("fake")
                    .addShares(MemoryShare.share()))
            .build());
  }

  private void execute(ClientFrame frame) {
    ServerFrame again = kept.get(frame.getSeq());
    if (again != null) {
      client.onNext(again);
      return;
    }
    kept.keySet().removeIf(seq -> seq <= frame.getAcked());
    received.add(frame);
    if (frame.getOpCase() == holding || frame.getAfterList().stream().anyMatch(held::containsKey)) {
      held.put(frame.getSeq(), frame);
    } else {
      reply(frame, share.answer(frame));
    }
  }

  private void reply(ClientFrame frame, ServerFrame.Builder reply) {
    ServerFrame built = reply.setSeq(frame.getSeq()).build();
    kept.put(frame.getSeq(), built);
    if (client != null) {
      client.onNext(built);
    }
  }

  /** Executes what is held, but loses the answers: the connection is about to break. */
  public synchronized void executeHeldSilently() {
    StreamObserver<ServerFrame> present = client;
    client = null;
    release();
    client = present;
  }

  /** Stops for good. */
  public void close() throws InterruptedException {
    stop();
    eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS).await();
  }
}
