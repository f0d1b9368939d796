package dev.hostshare.fileserver.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.fileserver.export.DirectoryDescriptors;
import dev.hostshare.fileserver.export.ExportSession;
import dev.hostshare.fileserver.export.ListedShare;
import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.export.Quota;
import dev.hostshare.fileserver.export.SessionLimits;
import dev.hostshare.fileserver.export.ShareSpec;
import dev.hostshare.fileserver.export.Shares;
import dev.hostshare.fileserver.export.Watches;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.LinuxHost;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Caller;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.FileServiceGrpc;
import dev.hostshare.proto.v1.Hello;
import dev.hostshare.proto.v1.Lock;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Setlk;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The service as a client sees it, a hostile one included. */
@Timeout(30)
final class FileServiceTest {
  @TempDir private Path temp;
  private final ExecutorService workers = Executors.newFixedThreadPool(4);
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private Path share;
  private OverlayStore overlay;
  private Shares shares;
  private SessionTable sessions;
  private Server server;
  private ManagedChannel channel;

  private static ListedShare listed(ShareSpec spec) {
    return new ListedShare(spec, spec.path(), true);
  }

  @BeforeEach
  void start() throws Exception {
    share = Files.createDirectory(temp.resolve("share"));
    Path state = Files.createDirectory(temp.resolve("state"));
    overlay = OverlayStore.open(state);
    HostFs host = new LinuxHost();
    ShareSpec spec = new ShareSpec(share, false, new OwnerPolicy.Host());
    Watches watches = new Watches(null, 0);
    shares = new Shares(host, overlay, watches, state);
    shares.apply(List.of(listed(spec)));
    sessions = new SessionTable(timer);
    FileServiceHandler handler =
        new FileServiceHandler(
            sessions,
            client -> {
              ExportSession view =
                  new ExportSession(
                      host,
                      overlay,
                      new DirectoryDescriptors(host, 64),
                      watches,
                      new SessionLimits(1000, new Quota(10_000), 100, new Quota(100), 2));
              Operations operations =
                  new Operations(view, shares, new PayloadBuffers(FileServiceHandler.MAX_PAYLOAD));
              return new Session(client, view, operations, workers, Thread::new);
            },
            () -> shares.all().stream().map(Packing::share).toList(),
            false,
            "test");
    String name = InProcessServerBuilder.generateName();
    server =
        InProcessServerBuilder.forName(name).directExecutor().addService(handler.bind()).build();
    server.start();
    channel = InProcessChannelBuilder.forName(name).directExecutor().build();
  }

  @AfterEach
  void stop() throws Exception {
    channel.shutdownNow();
    server.shutdownNow().awaitTermination();
    sessions.close();
    workers.shutdownNow();
    timer.shutdownNow();
    shares.close();
    overlay.close();
  }

  /** One stream of a client. */
  private final class Client {
    final BlockingQueue<Object> received = new ArrayBlockingQueue<>(1000);
    private ClientCallStreamObserver<ClientFrame> out;

    Client() {
      FileServiceGrpc.newStub(channel)
          .attach(
              new ClientResponseObserver<ClientFrame, ServerFrame>() {
                @Override
                public void beforeStart(ClientCallStreamObserver<ClientFrame> requests) {
                  out = requests;
                }

                @Override
                public void onNext(ServerFrame frame) {
                  received.add(frame);
                }

                @Override
                public void onError(Throwable t) {
                  received.add(t);
                }

                @Override
                public void onCompleted() {
                  received.add("completed");
                }
              });
    }

    Client hello(ByteString resume, boolean expectResumed) throws InterruptedException {
      send(
          ClientFrame.newBuilder()
              .setHello(Hello.newBuilder().setVersion(1).setMaxPayload(1 << 20).setResume(resume)));
      assertEquals(expectResumed, next().getWelcome().getResumed());
      return this;
    }

    void send(ClientFrame.Builder frame) {
      out.onNext(frame.build());
    }

    ServerFrame next() throws InterruptedException {
      return (ServerFrame) received.poll(10, TimeUnit.SECONDS);
    }

    ServerFrame call(ClientFrame.Builder frame) throws InterruptedException {
      send(frame);
      ServerFrame reply = next();
      assertEquals(frame.getSeq(), reply.getSeq());
      return reply;
    }

    long mount(long seq) throws InterruptedException {
      ClientFrame.Builder frame = frame(seq);
      frame.getMountBuilder().setPath(share.toString());
      return call(frame).getMounted().getRoot().getNode();
    }

    Status.Code failure() throws InterruptedException {
      Object last = received.poll(10, TimeUnit.SECONDS);
      return ((StatusRuntimeException) last).getStatus().getCode();
    }
  }

  private static ClientFrame.Builder frame(long seq) {
    return ClientFrame.newBuilder()
        .setSeq(seq)
        .setCaller(Caller.newBuilder().setUid(5).setGid(6).setPid(7));
  }

  private static ClientFrame.Builder mkdir(long seq, long parent, String name) {
    ClientFrame.Builder frame = frame(seq);
    frame.getMkdirBuilder().setParent(parent).setName(ByteString.copyFromUtf8(name)).setMode(0755);
    return frame;
  }

  private static ClientFrame.Builder create(long seq, long parent, String name) {
    ClientFrame.Builder frame = frame(seq);
    frame
        .getCreateBuilder()
        .setParent(parent)
        .setName(ByteString.copyFromUtf8(name))
        .setMode(0644)
        .setFlags(Linux.O_RDWR);
    return frame;
  }

  private static ClientFrame.Builder write(long seq, long handle, ByteString data) {
    ClientFrame.Builder frame = frame(seq);
    frame.getWriteBuilder().setHandle(handle).setData(data);
    return frame;
  }

  private static ClientFrame.Builder fsync(long seq, long handle) {
    ClientFrame.Builder frame = frame(seq);
    frame.getFsyncBuilder().setHandle(handle);
    return frame;
  }

  private static ClientFrame.Builder lock(
      long seq, long handle, long owner, int type, boolean wait) {
    return frame(seq)
        .setSetlk(
            Setlk.newBuilder()
                .setHandle(handle)
                .setOwner(owner)
                .setWait(wait)
                .setLock(Lock.newBuilder().setType(type).setEnd(Long.MAX_VALUE).setPid(7)));
  }

  private ByteString secretOf(Client client) throws InterruptedException {
    client.send(
        ClientFrame.newBuilder().setHello(Hello.newBuilder().setVersion(1).setMaxPayload(1 << 20)));
    return client.next().getWelcome().getSession();
  }

  @Test
  void aRequestSentAgainIsNotDoneAgain() throws Exception {
    Client client = new Client().hello(ByteString.EMPTY, false);
    long root = client.mount(1);
    ServerFrame first = client.call(mkdir(2, root, "d"));
    assertEquals(0, first.getErrno());
    assertEquals(first, client.call(mkdir(2, root, "d")));
    assertEquals(Errno.EEXIST, client.call(mkdir(3, root, "d")).getErrno());
  }

  @Test
  void aSessionIsResumedWithItsNodesHandlesAndReplies() throws Exception {
    Client before = new Client();
    ByteString secret = secretOf(before);
    long root = before.mount(1);
    ServerFrame created = before.call(create(2, root, "f"));
    before.out.cancel("the network broke", null);

    Client after = new Client().hello(secret, true);
    assertEquals(created, after.call(create(2, root, "f")), "the reply that may have been lost");
    ClientFrame.Builder write = frame(3);
    write
        .getWriteBuilder()
        .setHandle(created.getOpened().getHandle())
        .setData(ByteString.copyFromUtf8("data"));
    assertEquals(4, after.call(write).getWritten().getCount());
    assertEquals("data", Files.readString(share.resolve("f")));
  }

  @Test
  void anUnknownSessionIsReplacedByANewOne() throws Exception {
    Client client = new Client().hello(ByteString.copyFromUtf8("0123456789abcdef"), false);
    assertNotEquals(0, client.mount(1));
  }

  @Test
  void nodesAndHandlesOfOneSessionMeanNothingToAnother() throws Exception {
    Client one = new Client().hello(ByteString.EMPTY, false);
    long root = one.mount(1);
    ServerFrame opened = one.call(create(2, root, "f"));
    Client two = new Client().hello(ByteString.EMPTY, false);
    assertEquals(Errno.ESTALE, two.call(mkdir(1, root, "d")).getErrno());
    ClientFrame.Builder read = frame(2);
    read.getReadBuilder().setHandle(opened.getOpened().getHandle()).setSize(10);
    assertEquals(Errno.EBADF, two.call(read).getErrno());
  }

  @Test
  void aWaitingLockIsGrantedWhenItsHolderUnlocks() throws Exception {
    Client client = new Client().hello(ByteString.EMPTY, false);
    long root = client.mount(1);
    long handle = client.call(create(2, root, "f")).getOpened().getHandle();
    assertEquals(0, client.call(lock(3, handle, 100, Linux.F_WRLCK, false)).getErrno());
    assertEquals(Errno.EAGAIN, client.call(lock(4, handle, 200, Linux.F_WRLCK, false)).getErrno());
    client.send(lock(5, handle, 200, Linux.F_WRLCK, true));
    ClientFrame.Builder test = frame(6);
    test.getGetlkBuilder()
        .setHandle(handle)
        .setOwner(300)
        .setLock(Lock.newBuilder().setType(Linux.F_RDLCK).setEnd(10));
    assertEquals(7, client.call(test).getLock().getPid(), "who holds it, while another waits");
    client.send(lock(7, handle, 100, Linux.F_UNLCK, false));
    var answered = new HashSet<Long>();
    for (int i = 0; i < 2; i++) { // in either order
      ServerFrame reply = client.next();
      assertEquals(0, reply.getErrno());
      answered.add(reply.getSeq());
    }
    assertEquals(Set.of(5L, 7L), answered);
  }

  /** A guest that does not care for what it is told has nothing of it all the same. */
  @Test
  void aShareThatIsTakenAwayIsOutOfReach() throws Exception {
    Client client = new Client().hello(ByteString.EMPTY, false);
    long root = client.mount(1);
    long handle = client.call(create(2, root, "f")).getOpened().getHandle();
    assertEquals(0, client.call(lock(3, handle, 100, Linux.F_WRLCK, false)).getErrno());
    client.send(lock(4, handle, 200, Linux.F_WRLCK, true));
    var waits = "-> .*:" + Files.getAttribute(share.resolve("f"), "unix:ino") + " ";
    while (!Pattern.compile(waits).matcher(Files.readString(Path.of("/proc/locks"))).find()) {
      Thread.onSpinWait();
    }

    shares.apply(List.of());

    ServerFrame waited = client.next();
    assertEquals(Errno.EINTR, waited.getErrno(), () -> "the lock that waited: " + waited);
    assertEquals(Errno.EACCES, client.call(mkdir(5, root, "d")).getErrno());
    ServerFrame written = client.call(write(6, handle, ByteString.copyFromUtf8("x")));
    assertEquals(Errno.EBADF, written.getErrno());
    ClientFrame.Builder mount = frame(7);
    mount.getMountBuilder().setPath(share.toString());
    assertEquals(Errno.ENOENT, client.call(mount).getErrno());
    assertEquals(0, Files.size(share.resolve("f")));

    // and has it back as a share like any other
    shares.apply(List.of(listed(new ShareSpec(share, false, new OwnerPolicy.Host()))));
    assertEquals(Errno.EACCES, client.call(mkdir(8, root, "d")).getErrno());
    assertEquals(0, client.call(mkdir(9, client.mount(10), "d")).getErrno());
  }

  /** What it knows of the share would be refused for good, though the share is there again. */
  @Test
  void aSessionIsNotResumedWhoseShareWasTakenAwayMeanwhile() throws Exception {
    Client client = new Client();
    client.send(
        ClientFrame.newBuilder().setHello(Hello.newBuilder().setVersion(1).setMaxPayload(1 << 20)));
    ByteString secret = client.next().getWelcome().getSession();
    client.mount(1);
    client.out.onError(Status.CANCELLED.asException());
    new Client().hello(secret, true).out.onError(Status.CANCELLED.asException());

    shares.apply(List.of());
    shares.apply(List.of(listed(new ShareSpec(share, false, new OwnerPolicy.Host()))));

    Client again = new Client().hello(secret, false);
    assertEquals(0, again.call(mkdir(2, again.mount(1), "d")).getErrno());
  }

  @Test
  void aShareThatBecomesReadOnlyRefusesWritesThroughOpenHandles() throws Exception {
    Client client = new Client().hello(ByteString.EMPTY, false);
    long root = client.mount(1);
    long handle = client.call(create(2, root, "f")).getOpened().getHandle();
    shares.apply(List.of(listed(new ShareSpec(share, true, new OwnerPolicy.Host()))));
    assertTrue(client.next().hasInvalidate());
    ServerFrame written = client.call(write(3, handle, ByteString.copyFromUtf8("x")));
    assertEquals(Errno.EROFS, written.getErrno());
    assertEquals(Errno.EROFS, client.call(mkdir(4, root, "d")).getErrno());
    assertEquals(0, client.call(fsync(5, handle)).getErrno());
    shares.apply(List.of(listed(new ShareSpec(share, false, new OwnerPolicy.Host()))));
    assertTrue(client.next().hasInvalidate());
    written = client.call(write(6, handle, ByteString.copyFromUtf8("x")));
    assertEquals(1, written.getWritten().getCount());
  }

  /** Large writes are for the workers, as fsync is: side by side, if it does not name them. */
  @Test
  void aRequestIsDoneAfterThoseItNames() throws Exception {
    Client client = new Client().hello(ByteString.EMPTY, false);
    long root = client.mount(1);
    long handle = client.call(create(2, root, "f")).getOpened().getHandle();
    ByteString data = ByteString.copyFrom(new byte[1 << 20]);
    for (long seq = 3; seq < 303; seq += 3) {
      client.send(write(seq, handle, data));
      client.send(fsync(seq + 1, handle).addAllAfter(List.of(seq, seq)));
      client.send(fsync(seq + 2, handle).addAllAfter(List.of(2L, seq + 1, seq + 2, 999L)));
      for (long next = seq; next < seq + 3; next++) {
        ServerFrame reply = client.next();
        assertEquals(next, reply.getSeq());
        assertEquals(0, reply.getErrno());
      }
    }
  }

  @Test
  void whatMayWaitForEverIsNotWaitedFor() throws Exception {
    Client client = new Client().hello(ByteString.EMPTY, false);
    long root = client.mount(1);
    long handle = client.call(create(2, root, "f")).getOpened().getHandle();
    client.call(lock(3, handle, 100, Linux.F_WRLCK, false));
    client.send(lock(4, handle, 200, Linux.F_WRLCK, true)); // waits
    assertEquals(0, client.call(fsync(5, handle).addAfter(4)).getErrno());
    ClientFrame.Builder many = fsync(6, handle);
    for (long i = 0; i < 65; i++) {
      many.addAfter(i);
    }
    assertEquals(Errno.EINVAL, client.call(many).getErrno());
  }

  @Test
  void aWaitingLockCanBeCancelled() throws Exception {
    Client client = new Client().hello(ByteString.EMPTY, false);
    long root = client.mount(1);
    long handle = client.call(create(2, root, "f")).getOpened().getHandle();
    client.call(lock(3, handle, 100, Linux.F_WRLCK, false));
    for (int seq = 4; seq < 54; seq++) {
      client.send(lock(seq, handle, 200, Linux.F_WRLCK, true));
      ClientFrame.Builder cancel = ClientFrame.newBuilder();
      cancel.getCancelBuilder().setSeq(seq);
      client.send(cancel);
      ServerFrame reply = client.next();
      assertEquals(seq, reply.getSeq());
      assertEquals(Errno.EINTR, reply.getErrno());
    }
  }

  @Test
  void locksOfASessionGoWithIt() throws Exception {
    Client one = new Client().hello(ByteString.EMPTY, false);
    long handle = one.call(create(2, one.mount(1), "f")).getOpened().getHandle();
    one.call(lock(3, handle, 100, Linux.F_WRLCK, false));
    Client two = new Client().hello(ByteString.EMPTY, false);
    long other = two.call(create(2, two.mount(1), "f")).getOpened().getHandle();
    two.send(lock(3, other, 100, Linux.F_WRLCK, true));
    one.out.onCompleted();
    ServerFrame granted = two.next();
    assertEquals(3, granted.getSeq());
    assertEquals(0, granted.getErrno());
  }

  @Test
  void theFirstFrameMustBeAHelloOfOurVersion() throws Exception {
    Client silent = new Client();
    silent.send(mkdir(1, 1, "d"));
    assertEquals(Status.Code.FAILED_PRECONDITION, silent.failure());
    Client future = new Client();
    future.send(
        ClientFrame.newBuilder()
            .setHello(Hello.newBuilder().setVersion(99).setMaxPayload(1 << 20)));
    assertEquals(Status.Code.FAILED_PRECONDITION, future.failure());
  }

  @Test
  void aMalformedFrameEndsTheSession() throws Exception {
    Client empty = new Client().hello(ByteString.EMPTY, false);
    empty.send(ClientFrame.newBuilder().setSeq(1));
    assertEquals(Status.Code.INVALID_ARGUMENT, empty.failure());
    Client unnumbered = new Client().hello(ByteString.EMPTY, false);
    unnumbered.send(mkdir(0, 1, "d"));
    assertEquals(Status.Code.INVALID_ARGUMENT, unnumbered.failure());
  }

  @Test
  void numbersOutOfRangeAreErrorsOfTheRequestOnly() throws Exception {
    Client client = new Client().hello(ByteString.EMPTY, false);
    long root = client.mount(1);
    long handle = client.call(create(2, root, "f")).getOpened().getHandle();
    ClientFrame.Builder read = frame(3);
    read.getReadBuilder().setHandle(handle).setOffset(-1).setSize(10);
    assertEquals(Errno.EINVAL, client.call(read).getErrno());
    ClientFrame.Builder size = frame(4);
    size.getReadBuilder().setHandle(handle).setSize(-1);
    assertEquals(Errno.EINVAL, client.call(size).getErrno());
    ClientFrame.Builder time = frame(5);
    time.getSetattrBuilder().setNode(root).getAtimeBuilder().setNsec(0x3fffffff);
    assertEquals(Errno.EINVAL, client.call(time).getErrno());
    ClientFrame.Builder data = frame(6);
    data.getWriteBuilder()
        .setHandle(handle)
        .setData(ByteString.copyFrom(new byte[FileServiceHandler.MAX_PAYLOAD + 1]));
    assertEquals(Errno.EINVAL, client.call(data).getErrno());
    assertEquals(0, client.call(mkdir(7, root, "d")).getErrno(), "the session lives on");
    assertNull(client.received.poll());
    assertFalse(sessions.status().isEmpty());
    assertTrue(Files.isDirectory(share.resolve("d")));
  }
}
