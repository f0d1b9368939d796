package dev.hostshare.agent.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.testing.FakeServer;
import dev.hostshare.agent.testing.MemoryShare;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.Invalidate;
import dev.hostshare.proto.v1.Mkdir;
import dev.hostshare.proto.v1.Mount;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class SessionTest {
  @TempDir private Path folder;
  private FakeServer server;
  private Session session;
  private final Events events = new Events();

  @BeforeEach
  void connect() throws IOException {
    server = new FakeServer(socket());
    session = connect(Duration.ofSeconds(30));
  }

  @AfterEach
  void close() throws InterruptedException {
    session.close();
    server.close();
  }

  private Path socket() {
    return folder.resolve("s");
  }

  private Session connect(Duration timeout) throws IOException {
    return Session.connect(
        new SessionOptions(
            new ServerAddress.Unix(socket()), TransportSecurity.NONE, timeout, "test"),
        events);
  }

  @Test
  void passesAnErrnoOfTheServerOn() throws Exception {
    assertEquals(Errno.ENOENT, send(mount("/other")).reply.get(10, TimeUnit.SECONDS).getErrno());
  }

  @Test
  void sendsAgainUnderTheSameNumberWhatABrokenConnectionSwallowed() throws Exception {
    long root = root();
    server.hold(ClientFrame.OpCase.MKDIR);
    Outcome outcome = send(mkdir(root, "d"));
    ClientFrame first = server.next();
    // The server does it, but the answer is lost.
    server.executeHeldSilently();

    server.stop();
    server.start();

    assertEquals(0, outcome.reply.get(10, TimeUnit.SECONDS).getErrno());
    assertTrue(first.getSeq() > 0);
    assertEquals(0, server.requestsSeen(), "it was executed twice");
    assertEquals(1, session.generation());
  }

  @Test
  void tellsThatRequestsAreLostWhenTheServerForgotTheSession() throws Exception {
    long root = root();
    server.hold(ClientFrame.OpCase.MKDIR);
    Outcome outcome = send(mkdir(root, "d"));
    server.next();

    server.stop();
    server.forgetSessions();
    server.hold(null);
    server.start();

    assertTrue(outcome.lost.get(10, TimeUnit.SECONDS), "it had been sent");
    assertEquals(2, session.generation());
  }

  /** A kernel may forget 65,000 inodes at once; the server takes 16,384 in a frame. */
  @Test
  void givesManyLookupCountsBackInSeveralFrames() throws Exception {
    List<Forget.One> counts =
        LongStream.range(1_000_000, 1_020_000)
            .mapToObj(node -> Forget.One.newBuilder().setNode(node).setCount(1).build())
            .toList();
    session.forget(session.generation(), Forget.newBuilder().addAllNodes(counts).build());

    var given = new ArrayList<Forget.One>();
    while (given.size() < counts.size()) {
      Forget frame = server.nextForget();
      assertTrue(frame.getNodesCount() <= 16_384, frame.getNodesCount() + " in one frame");
      given.addAll(frame.getNodesList());
    }
    assertEquals(counts, given);
  }

  @Test
  void refusesIdsOfAnOlderGeneration() throws Exception {
    var outcome = new Outcome();
    session.call(session.generation() - 1, mkdir(1, "d"), outcome);
    assertFalse(outcome.lost.get(10, TimeUnit.SECONDS), "it was never sent");
  }

  @Test
  void queuesWhatIsSentWhileTheConnectionIsBroken() throws Exception {
    long root = root();
    server.stop();
    events.disconnected.get(10, TimeUnit.SECONDS);
    Outcome outcome = send(mkdir(root, "d"));

    server.start();

    assertEquals(0, outcome.reply.get(10, TimeUnit.SECONDS).getErrno());
  }

  @Test
  void failsRequestsWhenTheServerStaysAwayAndRecoversWhenItIsBack() throws Exception {
    session.close();
    session = connect(Duration.ofMillis(300));
    long root = root();
    server.stop();

    Outcome waiting = send(mkdir(root, "a"));
    assertEquals(Errno.EIO, waiting.abandoned.get(10, TimeUnit.SECONDS));
    Outcome atOnce = send(mkdir(root, "b"));
    assertEquals(Errno.EIO, atOnce.abandoned.getNow(0), "once down, nobody waits");
    assertEquals(SessionStatus.State.DOWN, session.status().state());

    events.connected.clear();
    server.start();
    events.connected.poll(10, TimeUnit.SECONDS);
    assertEquals(0, send(mkdir(root, "c")).reply.get(10, TimeUnit.SECONDS).getErrno(), "resumed");
  }

  @Test
  void deliversALateReplySoThatItCanBeUndone() throws Exception {
    session.close();
    session = connect(Duration.ofMillis(300));
    long root = root();
    server.hold(ClientFrame.OpCase.MKDIR);
    Outcome outcome = send(mkdir(root, "d"));
    server.next();
    server.executeHeldSilently();

    server.stop();
    assertEquals(Errno.EIO, outcome.abandoned.get(10, TimeUnit.SECONDS));
    server.start();

    assertTrue(outcome.reply.get(10, TimeUnit.SECONDS).hasEntry());
  }

  @Test
  void cancelsARequestThatTheServerWorksOn() throws Exception {
    long root = root();
    server.hold(ClientFrame.OpCase.MKDIR);
    Outcome outcome = new Outcome();
    Call call = session.call(session.generation(), mkdir(root, "d"), outcome);
    server.next();

    call.cancel();

    assertEquals(Errno.EINTR, outcome.reply.get(10, TimeUnit.SECONDS).getErrno());
  }

  @Test
  void withdrawsARequestThatWasNotSentYet() throws Exception {
    long root = root();
    server.stop();
    events.disconnected.get(10, TimeUnit.SECONDS);
    Outcome outcome = new Outcome();
    Call call = session.call(session.generation(), mkdir(root, "d"), outcome);

    call.cancel();

    assertEquals(Errno.EINTR, outcome.abandoned.getNow(0));
    server.start();
  }

  @Test
  void keepsWithinTheServersLimitOfRequestsInFlight() throws Exception {
    session.close();
    server.maxInFlight(4);
    session = connect(Duration.ofSeconds(30));
    long root = root();
    server.hold(ClientFrame.OpCase.MKDIR);
    List<Outcome> outcomes = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      outcomes.add(send(mkdir(root, "d" + i)));
    }
    for (int i = 0; i < 4; i++) {
      server.next();
    }

    assertEquals(4, session.status().inFlight());
    assertEquals(6, session.status().queued());
    assertEquals(0, server.requestsSeen(), "more than allowed were sent");

    server.release();
    for (Outcome outcome : outcomes) {
      assertEquals(0, outcome.reply.get(10, TimeUnit.SECONDS).getErrno());
    }
  }

  @Test
  void saysHowFarRepliesHaveArrived() throws Exception {
    long root = root();
    server.hold(ClientFrame.OpCase.MKDIR);
    send(mkdir(root, "first"));
    ClientFrame first = server.next();
    server.hold(null);
    send(mount(MemoryShare.PATH)).reply.get(10, TimeUnit.SECONDS);
    ClientFrame second = server.next();

    assertEquals(first.getSeq() - 1, second.getAcked(), "the first has no answer yet");
    server.release();
  }

  @Test
  void passesInvalidationsOn() throws Exception {
    server.invalidate(Invalidate.newBuilder().setNode(7).build());
    assertEquals(7, events.invalidated.poll(10, TimeUnit.SECONDS).getNode());
  }

  @Test
  void saysThatNobodyListens() {
    var nowhere = new ServerAddress.Unix(folder.resolve("nowhere"));
    var e =
        assertThrows(
            SessionException.class,
            () ->
                Session.connect(
                    new SessionOptions(
                        nowhere, TransportSecurity.NONE, Duration.ofSeconds(1), "test"),
                    events));
    assertTrue(e.getMessage().contains(nowhere.toString()), e.getMessage());
    assertTrue(e.getMessage().contains("hostshare serve"), e.getMessage());
  }

  private long root() throws Exception {
    long root =
        send(mount(MemoryShare.PATH))
            .reply
            .get(10, TimeUnit.SECONDS)
            .getMounted()
            .getRoot()
            .getNode();
    server.next();
    return root;
  }

  private Outcome send(ClientFrame.Builder frame) {
    var outcome = new Outcome();
    session.call(session.generation(), frame, outcome);
    return outcome;
  }

  private static ClientFrame.Builder mount(String path) {
    return ClientFrame.newBuilder().setMount(Mount.newBuilder().setPath(path));
  }

  private static ClientFrame.Builder mkdir(long parent, String name) {
    return ClientFrame.newBuilder()
        .setMkdir(Mkdir.newBuilder().setParent(parent).setName(ByteString.copyFromUtf8(name)));
  }

  private static final class Outcome implements ReplyHandler {
    final CompletableFuture<ServerFrame> reply = new CompletableFuture<>();
    final CompletableFuture<Boolean> lost = new CompletableFuture<>();
    final CompletableFuture<Integer> abandoned = new CompletableFuture<>();

    @Override
    public void onReply(ServerFrame frame) {
      reply.complete(frame);
    }

    @Override
    public void onLost(boolean sent) {
      lost.complete(sent);
    }

    @Override
    public void onAbandoned(int errno) {
      abandoned.complete(errno);
    }
  }

  private static final class Events implements SessionListener {
    final BlockingQueue<Invalidate> invalidated = new LinkedBlockingQueue<>();
    final BlockingQueue<List<Share>> connected = new LinkedBlockingQueue<>();
    final CompletableFuture<Void> disconnected = new CompletableFuture<>();

    @Override
    public void onInvalidate(Invalidate invalidate) {
      invalidated.add(invalidate);
    }

    @Override
    public void onShares(List<Share> shares) {
      connected.add(shares);
    }

    @Override
    public void onDisconnected() {
      disconnected.complete(null);
    }
  }
}
