package dev.hostshare.agent.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.remote.Call;
import dev.hostshare.agent.remote.ServerAddress;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.agent.remote.TransportSecurity;
import dev.hostshare.agent.testing.FakeServer;
import dev.hostshare.agent.testing.KernelCacheRecorder;
import dev.hostshare.agent.testing.MemoryShare;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Invalidate;
import dev.hostshare.proto.v1.Lock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The core over a real session.
 *
 * <pre>
 * /memory
 * ├── d/
 * │   └── f      "hello"
 * └── list/
 *     ├── e000
 *     ...
 *     └── e299
 * </pre>
 */
@Timeout(60)
final class FileSystemTest {
  private static final int ENTRIES = 300;

  /** What a session may have of data, where nobody says how much memory there is. */
  private static final int MOST = 16 << 20;

  private static final RequestContext NOBODY = RequestContext.NONE;

  @TempDir private Path folder;
  private FakeServer server;
  private FileSystem fs;
  private MemoryShare.File file;
  private final KernelCacheRecorder dropped = new KernelCacheRecorder();

  @BeforeEach
  void mount() throws IOException {
    server = new FakeServer(folder.resolve("s"));
    file = server.share.put("/d/f", "hello");
    for (int i = 0; i < ENTRIES; i++) {
      server.share.put("/list/e%03d".formatted(i), "");
    }
    fs = FileSystem.connect(options(), MemoryShare.PATH);
    fs.attach(dropped);
  }

  private SessionOptions options() {
    return new SessionOptions(
        new ServerAddress.Unix(folder.resolve("s")),
        TransportSecurity.NONE,
        Duration.ofSeconds(20),
        "test");
  }

  @AfterEach
  void unmount() throws InterruptedException {
    fs.close();
    server.close();
  }

  @Test
  void saysWhichSharesThereAreWhenTheOneAskedForIsNot() {
    var e = assertThrows(IOException.class, () -> FileSystem.connect(options(), "/other"));
    assertTrue(e.getMessage().contains("/other"), e.getMessage());
    assertTrue(e.getMessage().contains(MemoryShare.PATH), e.getMessage());
  }

  @Test
  void givesLookupCountsBack() throws Exception {
    long d = lookup(1, "d").id();
    long f = lookup(d, "f").id();
    lookup(d, "f");
    assertEquals(2, server.share.lookups(file));

    fs.names().forget(new long[] {f, d}, new long[] {2, 1});

    assertEquals(0, server.share.awaitNoLookups(file));
  }

  /** More files than there is memory for, and a kernel that keeps them all. */
  @Test
  void refusesWhatThereIsNoMemoryFor() throws Exception {
    dropped.refuseToDrop();
    server.maxNodes(20);
    restartServer();
    long list = lookup(1, "list").id();
    assertThrows(
        ErrnoException.class,
        () -> {
          for (int i = 0; i < ENTRIES; i++) {
            lookup(list, "e%03d".formatted(i));
            dropped.told.poll(10, TimeUnit.MILLISECONDS); // what it is asked to drop
          }
        });
    var e = assertThrows(ErrnoException.class, () -> lookup(1, "d"));
    assertEquals(Errno.ENOMEM, e.errno());
    e =
        assertThrows(
            ErrnoException.class,
            () ->
                await(
                    (Reply<NodeEntry> reply) ->
                        fs.names().mkdir(NOBODY, 1, utf8("new"), 0755, 0, reply)));
    assertEquals(Errno.ENOMEM, e.errno());
    long first = lookup(list, "e000").id();
    assertEquals(ENTRIES + 2, list("list", 10).size(), "listed all the same");
    long handle = opendir(list);
    Sink some =
        await(
            reply -> fs.directories().readdir(NOBODY, handle, 0, true, () -> new Sink(50), reply));
    assertEquals(50, some.lines.size());
    assertNull(some.entries.getLast(), "by name only");

    fs.names().forget(new long[] {first}, new long[] {3});
    lookup(1, "d");
  }

  @Test
  void answersNamesThatAreTooLongItself() {
    var e = assertThrows(ErrnoException.class, () -> lookup(1, "x".repeat(256)));
    assertEquals(Errno.ENAMETOOLONG, e.errno());
  }

  @Test
  void listsADirectoryOfOddCookiesOnceEach() throws Exception {
    List<String> names = list("list", 7);

    assertEquals(ENTRIES + 2, names.size());
    assertEquals(List.of(".", "..", "e000"), names.subList(0, 3));
    assertEquals(ENTRIES + 2, names.stream().distinct().count());
  }

  @Test
  void goesOnFromAnyOffsetThatWasGivenOut() throws Exception {
    long handle = opendir(lookup(1, "list").id());
    List<Sink.Line> all = new ArrayList<>();
    for (Sink part = read(handle, 0, 50); !part.lines.isEmpty(); ) {
      all.addAll(part.lines);
      part = read(handle, all.getLast().offset, 50);
    }
    for (int i = all.size() - 2; i >= 0; i -= 37) {
      assertEquals(all.get(i + 1).name, read(handle, all.get(i).offset, 1).lines.get(0).name);
    }
  }

  @Test
  void givesBackTheLookupCountsOfEntriesThatDidNotFit() throws Exception {
    long handle = opendir(lookup(1, "d").id());
    Sink sink = new Sink(2);
    FileSystemTest.<Sink>await(
        reply -> fs.directories().readdir(NOBODY, handle, 0, true, () -> sink, reply));
    assertEquals(2, sink.lines.size(), "only the dots fit");
    assertEquals(1, server.share.lookups(file), "kept for the next call");

    FileSystemTest.<Void>await(reply -> fs.directories().releasedir(NOBODY, handle, reply));

    assertEquals(0, server.share.awaitNoLookups(file));
  }

  @Test
  void dropsTheKernelsAttributesWhenAFileChangedBeforeItIsOpened() throws Exception {
    long f = lookup(lookup(1, "d").id(), "f").id();
    assertTrue(open(f, Linux.O_RDONLY).keepCache(), "nothing changed");

    server.share.put("/d/f", "changed");

    assertFalse(open(f, Linux.O_RDONLY).keepCache());
    assertEquals("attributes " + f, dropped.next());
  }

  @Test
  void dropsPagesWhenAnAppendWentElsewhere() throws Exception {
    long f = lookup(lookup(1, "d").id(), "f").id();
    long handle = open(f, Linux.O_WRONLY | Linux.O_APPEND).handle();
    server.share.put("/d/f", "hello, world");

    Long count =
        await(
            reply ->
                fs.files().write(NOBODY, handle, 5, ByteString.copyFromUtf8("!"), false, reply));

    assertEquals(1, count);
    assertEquals("data " + f, dropped.next());
    assertEquals("hello, world!", file.content.toStringUtf8());
  }

  @Test
  void passesTheServersInvalidationsOnInOurNumbers() throws Exception {
    long d = lookup(1, "d").id();
    long node = nodeOf("d");

    server.invalidate(
        Invalidate.newBuilder().setNode(node).setName(ByteString.copyFromUtf8("f")).build());

    assertEquals("entry " + d + " f", dropped.next());
  }

  /** The server's node id of a name in the root: what the next request below it names. */
  private long nodeOf(String name) throws Exception {
    long id = lookup(1, name).id();
    while (server.requestsSeen() > 0) {
      server.next();
    }
    FileSystemTest.<NodeAttr>await(reply -> fs.attributes().getattr(NOBODY, id, 0, reply));
    return server.next().getGetattr().getNode();
  }

  @Test
  void findsFilesAndHandlesAgainAfterARestartOfTheServer() throws Exception {
    long d = lookup(1, "d").id();
    long f = lookup(d, "f").id();
    long handle = open(f, Linux.O_RDWR).handle();
    Lock lock = Lock.newBuilder().setType(Linux.F_WRLCK).setEnd(9).build();
    FileSystemTest.<Void>await(
        reply -> fs.locks().setlk(NOBODY, handle, 42, lock, false, false, reply));
    FileSystemTest.<Void>await(
        reply -> fs.names().rename(NOBODY, d, utf8("f"), 1, utf8("moved"), 0, reply));

    restartServer();

    ByteString data = await(reply -> fs.files().read(NOBODY, handle, 0, 100, reply));
    assertEquals("hello", data.toStringUtf8());
    assertEquals(
        5, await((Reply<NodeAttr> r) -> fs.attributes().getattr(NOBODY, f, 0, r)).attr().getSize());
    assertTrue(sawLockRetaken(), "the lock was not taken again");
  }

  private boolean sawLockRetaken() throws Exception {
    boolean before = false;
    while (server.requestsSeen() > 0) {
      ClientFrame frame = server.next();
      if (frame.hasSetlk()) {
        if (before) {
          return frame.getSetlk().getOwner() == 42;
        }
        before = true;
      }
    }
    return false;
  }

  @Test
  void answersEstaleForAFileThatIsGoneAfterARestart() throws Exception {
    long d = lookup(1, "d").id();
    long f = lookup(d, "f").id();
    server.share.put("/d/other", "");
    restartServer();
    // An unlink that may have reached the server before it ended is EIO: not until it is there
    // again.
    FileSystemTest.<NodeAttr>await(reply -> fs.attributes().getattr(NOBODY, 1, 0, reply));
    FileSystemTest.<Void>await(reply -> fs.names().unlink(NOBODY, d, utf8("f"), reply));

    var e =
        assertThrows(
            ErrnoException.class,
            () -> await((Reply<NodeAttr> r) -> fs.attributes().getattr(NOBODY, f, 0, r)));
    assertEquals(Errno.ESTALE, e.errno());
  }

  @Test
  void doesNotRepeatWhatMayHaveBeenDone() throws Exception {
    server.hold(ClientFrame.OpCase.MKDIR);
    var reply = new Outcome<NodeEntry>();
    fs.names().mkdir(NOBODY, 1, utf8("new"), 0755, 0, reply);
    while (!server.next().hasMkdir()) {}
    server.hold(null);
    restartServer();

    var e = assertThrows(ExecutionException.class, () -> reply.future.get(10, TimeUnit.SECONDS));
    assertEquals(Errno.EIO, assertInstanceOf(ErrnoException.class, e.getCause()).errno());
  }

  private Outcome<Long> write(long handle, long offset, String data) {
    var reply = new Outcome<Long>();
    fs.files().write(NOBODY, handle, offset, utf8(data), false, reply);
    return reply;
  }

  /** Of each file one batch of small writes is under way, and those behind it wait. */
  @Test
  void answersNoMoreWritesThanThereIsMemoryFor() throws Exception {
    long d = lookup(1, "d").id();
    long[] handles = new long[40];
    for (int i = 0; i < handles.length; i++) {
      server.share.put("/d/w" + i, "");
      handles[i] = open(lookup(d, "w" + i).id(), Linux.O_RDWR).handle();
    }
    String data = "x".repeat(64 << 10);
    server.hold(ClientFrame.OpCase.WRITE);
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int i = 0; i < 32; i++) {
                    for (long handle : handles) {
                      write(handle, (long) i * data.length(), data);
                    }
                  }
                });
    while (writer.isAlive()
        && (writer.getState() != Thread.State.WAITING || held() <= MOST - data.length())) {
      Thread.onSpinWait();
    }
    assertTrue(writer.isAlive(), "it waits where all is taken");
    assertTrue(held() <= MOST, held() + " bytes");
    server.hold(null);
    server.release();
    writer.join();
    for (long handle : handles) {
      flush(handle).future.get(10, TimeUnit.SECONDS);
    }
    while (held() > 0) {
      Thread.onSpinWait();
    }
  }

  private long held() {
    return fs.status().session().bytesInFlight();
  }

  private Outcome<Void> flush(long handle) {
    var reply = new Outcome<Void>();
    fs.files().flush(NOBODY, handle, 1, reply);
    return reply;
  }

  private ClientFrame nextWrite() throws InterruptedException {
    ClientFrame frame = server.next();
    while (!frame.hasWrite()) {
      frame = server.next();
    }
    return frame;
  }

  @Test
  void answersWritesThatAreOnTheirWayAndSendsSmallOnesTogether() throws Exception {
    long f = lookup(lookup(1, "d").id(), "f").id();
    long handle = open(f, Linux.O_RDWR).handle();
    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(2, write(handle, 0, "aa").future.get());
    assertEquals(2, write(handle, 2, "bb").future.get());
    assertEquals(1, write(handle, 4, "c").future.get());
    assertEquals(1, write(handle, 9, "x").future.get());
    Outcome<Long> again = write(handle, 1, "A");
    Outcome<Void> closed = flush(handle);
    var attributes = new Outcome<NodeAttr>();
    fs.attributes().getattr(NOBODY, f, 0, attributes);
    assertEquals(0, nextWrite().getWrite().getMoreCount());
    assertFalse(again.future.isDone(), "of two writes of a byte the last one wins");
    assertFalse(closed.future.isDone(), "close(2) waits");
    assertFalse(attributes.future.isDone(), "so does stat(2)");
    server.release();

    ClientFrame together = nextWrite();
    assertEquals("bbc", together.getWrite().getData().toStringUtf8());
    assertEquals(9, together.getWrite().getMore(0).getOffset());
    assertEquals(1, again.future.get(10, TimeUnit.SECONDS));
    closed.future.get(10, TimeUnit.SECONDS);
    assertEquals(10, attributes.future.get(10, TimeUnit.SECONDS).attr().getSize());
    assertEquals("aAbbc\0\0\0\0x", file.content.toStringUtf8());
  }

  @Test
  void tellsOfWritesThatFailedAtTheNextOrAtClose() throws Exception {
    long f = lookup(lookup(1, "d").id(), "f").id();
    long handle = open(f, Linux.O_RDWR).handle();
    long other = open(f, Linux.O_RDONLY).handle();
    server.share.full(8);
    assertEquals(6, write(handle, 4, "567890").future.get());
    assertNoSpace(flush(handle));
    assertEquals("hell5678", file.content.toStringUtf8(), "what fits is there");
    flush(handle).future.get(10, TimeUnit.SECONDS); // told once
    assertNoSpace(fsync(other)); // and to every open file

    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(1, write(handle, 20, "x").future.get());
    server.release();
    await((Reply<NodeAttr> r) -> fs.attributes().getattr(NOBODY, 1, 0, r));
    assertNoSpace(write(handle, 0, "H"));
    assertEquals(1, write(handle, 0, "H").future.get());
    flush(handle).future.get(10, TimeUnit.SECONDS);
    assertEquals("Hell5678", file.content.toStringUtf8());
  }

  @Test
  void fsyncTellsWhatCloseToldAndIfNoneHasTheNextOne() throws Exception {
    long f = lookup(lookup(1, "d").id(), "f").id();
    long handle = open(f, Linux.O_WRONLY).handle();
    server.share.full(8);
    assertEquals(6, write(handle, 4, "567890").future.get());
    assertNoSpace(flush(handle)); // as the shell of `echo >&3` does, which does not look

    long later = open(f, Linux.O_RDONLY).handle();
    flush(later).future.get(10, TimeUnit.SECONDS); // it wrote nothing
    assertNoSpace(fsync(later));
    fsync(later).future.get(10, TimeUnit.SECONDS);
    long afterwards = open(f, Linux.O_RDONLY).handle();
    fsync(afterwards).future.get(10, TimeUnit.SECONDS);

    assertNoSpace(fsync(handle)); // open since before the error
    flush(handle).future.get(10, TimeUnit.SECONDS);
    fsync(handle).future.get(10, TimeUnit.SECONDS);
  }

  private static void assertNoSpace(Outcome<?> outcome) {
    var e = assertThrows(ExecutionException.class, () -> outcome.future.get(10, TimeUnit.SECONDS));
    assertEquals(Errno.ENOSPC, assertInstanceOf(ErrnoException.class, e.getCause()).errno());
  }

  private Outcome<Void> fsync(long handle) {
    var reply = new Outcome<Void>();
    fs.files().fsync(NOBODY, handle, false, reply);
    return reply;
  }

  @Test
  void whatFollowsWritesIsSentBehindThem() throws Exception {
    long f = lookup(lookup(1, "d").id(), "f").id();
    long handle = open(f, Linux.O_RDWR).handle();
    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(1, write(handle, 0, "H").future.get());
    Outcome<Void> synced = fsync(handle);
    var attributes = new Outcome<NodeAttr>();
    fs.attributes().getattr(NOBODY, f, 0, attributes);
    long write = nextWrite().getSeq();
    assertEquals(List.of(write), server.next().getAfterList());
    assertEquals(List.of(write), server.next().getAfterList());
    assertFalse(synced.future.isDone());

    assertEquals(1, write(handle, 1, "E").future.get());
    Outcome<Void> later = fsync(handle); // not all was sent
    lookup(1, "d");
    assertTrue(server.next().hasWalk(), "and so nothing else was");
    assertEquals(0, server.requestsSeen());
    server.release();
    synced.future.get(10, TimeUnit.SECONDS);
    later.future.get(10, TimeUnit.SECONDS);
    assertEquals(5, attributes.future.get(10, TimeUnit.SECONDS).attr().getSize());
    assertEquals("HEllo", file.content.toStringUtf8());
  }

  @Test
  void whatWasSentBehindAWriteThatWasDoneInPartIsDoneAgain() throws Exception {
    long handle = open(lookup(lookup(1, "d").id(), "f").id(), Linux.O_RDWR).handle();
    server.share.full(8);
    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(6, write(handle, 4, "567890").future.get());
    Outcome<Void> synced = fsync(handle);
    server.release();
    var e = assertThrows(ExecutionException.class, () -> synced.future.get(10, TimeUnit.SECONDS));
    assertEquals(Errno.ENOSPC, assertInstanceOf(ErrnoException.class, e.getCause()).errno());
    nextWrite();
    assertTrue(server.next().hasFsync());
    assertEquals(2, nextWrite().getWrite().getData().size());
    ClientFrame again = server.next();
    assertTrue(again.hasFsync());
    assertEquals(0, again.getAfterCount());
  }

  /** The rest is written before the reply comes to what was done without it. */
  @Test
  void whatWasSentBehindAWriteIsDoneAgainEvenIfTheRestIsThereBeforeItsReply() throws Exception {
    long handle = open(lookup(lookup(1, "d").id(), "f").id(), Linux.O_RDWR).handle();
    server.share.full(8);
    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(6, write(handle, 4, "567890").future.get());
    Outcome<Void> synced = fsync(handle);
    nextWrite();
    long early = server.next().getSeq();
    server.releaseOnly(ClientFrame.OpCase.WRITE);
    assertEquals(2, nextWrite().getWrite().getData().size(), "the rest, which is held, too");
    server.share.full(Integer.MAX_VALUE);
    server.releaseOnly(ClientFrame.OpCase.WRITE);
    assertFalse(synced.future.isDone());
    server.release();
    synced.future.get(10, TimeUnit.SECONDS);
    ClientFrame again = server.next();
    assertTrue(again.hasFsync() && again.getSeq() > early, "done again: " + again);
  }

  @Test
  void whatWasSentBehindAWriteThatIsLostIsDoneAgainAfterIt() throws Exception {
    long handle = open(lookup(lookup(1, "d").id(), "f").id(), Linux.O_RDWR).handle();
    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(1, write(handle, 0, "H").future.get());
    Outcome<Void> synced = fsync(handle);
    nextWrite();
    assertTrue(server.next().hasFsync());
    server.hold(null);
    restartServer();
    synced.future.get(10, TimeUnit.SECONDS);
    assertEquals("Hello", file.content.toStringUtf8());
    nextWrite();
    assertTrue(server.next().hasFsync());
  }

  @Test
  void sendsWritesAgainThatAServerThatEndedMayNotHaveDone() throws Exception {
    long handle = open(lookup(lookup(1, "d").id(), "f").id(), Linux.O_RDWR).handle();
    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(1, write(handle, 0, "H").future.get());
    assertEquals(1, write(handle, 4, "O").future.get());
    nextWrite();
    Outcome<Void> closed = flush(handle);
    server.hold(null);
    restartServer();
    closed.future.get(10, TimeUnit.SECONDS);
    assertEquals("HellO", file.content.toStringUtf8());
  }

  /** A name is looked up while the server does not have all that was written yet. */
  @Test
  void nobodyIsToldASizeBeforeWritesThatWereAnswered() throws Exception {
    long d = lookup(1, "d").id();
    long handle = open(lookup(d, "f").id(), Linux.O_RDWR).handle();
    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(1, write(handle, 99, "x").future.get());
    assertEquals(100, lookup(d, "f").attr().getSize());
    assertEquals(0, lookup(d, "f").attrNanos());
    server.release();
    flush(handle).future.get(10, TimeUnit.SECONDS);
    assertEquals(100, lookup(d, "f").attr().getSize());

    long again = open(lookup(d, "f").id(), Linux.O_RDWR | Linux.O_TRUNC).handle();
    server.hold(ClientFrame.OpCase.WRITE);
    assertEquals(1, write(again, 4, "x").future.get());
    assertEquals(5, lookup(d, "f").attr().getSize(), "not as long as before it was truncated");
    server.release();
    flush(again).future.get(10, TimeUnit.SECONDS);
  }

  /** What is at hand of a listing was looked at before. */
  @Test
  void whatAListingSaysOfAFileIsNotKeptWhenItWasChangedMeanwhile() throws Exception {
    long d = lookup(1, "d").id();
    long f = lookup(d, "f").id();
    long handle = opendir(d);
    Sink dots = new Sink(2);
    FileSystemTest.<Sink>await(
        reply -> fs.directories().readdir(NOBODY, handle, 0, true, () -> dots, reply));
    var change = new AttributeChange(0, 0600, null, null, null, null, null, false);
    await((Reply<NodeAttr> r) -> fs.attributes().setattr(NOBODY, f, change, r));
    Sink rest = new Sink(2);
    long after = dots.lines.getLast().offset;
    FileSystemTest.<Sink>await(
        reply -> fs.directories().readdir(NOBODY, handle, after, true, () -> rest, reply));
    assertEquals("f", rest.lines.getFirst().name);
    assertEquals(0, rest.entries.getFirst().attrNanos());
  }

  @Test
  void passesAnInterruptOnThatCameFirst() throws Exception {
    server.hold(ClientFrame.OpCase.MKDIR);
    var reply = new Outcome<NodeEntry>();
    var interrupted =
        new RequestContext() {
          @Override
          public Identity caller() {
            return new Identity(1, 2, 3);
          }

          @Override
          public void waitsFor(Call call) {
            call.cancel();
          }
        };
    fs.names().mkdir(interrupted, 1, utf8("new"), 0755, 0, reply);

    var e = assertThrows(ExecutionException.class, () -> reply.future.get(10, TimeUnit.SECONDS));
    assertEquals(Errno.EINTR, assertInstanceOf(ErrnoException.class, e.getCause()).errno());
  }

  private void restartServer() throws Exception {
    server.stop();
    server.forgetSessions();
    server.start();
  }

  private List<String> list(String name, int atOnce) throws Exception {
    long handle = opendir(lookup(1, name).id());
    var names = new ArrayList<String>();
    long offset = 0;
    while (true) {
      Sink sink = read(handle, offset, atOnce);
      if (sink.lines.isEmpty()) {
        return names;
      }
      sink.lines.forEach(line -> names.add(line.name));
      offset = sink.lines.getLast().offset;
    }
  }

  private Sink read(long handle, long offset, int atOnce) throws Exception {
    return await(
        reply ->
            fs.directories().readdir(NOBODY, handle, offset, false, () -> new Sink(atOnce), reply));
  }

  private long opendir(long id) throws Exception {
    return await((Reply<OpenedFile> reply) -> fs.directories().opendir(NOBODY, id, false, reply))
        .handle();
  }

  private OpenedFile open(long id, int flags) throws Exception {
    return await(reply -> fs.files().open(NOBODY, id, flags, false, reply));
  }

  private NodeEntry lookup(long parent, String name) throws Exception {
    return await(reply -> fs.names().lookup(NOBODY, parent, utf8(name), reply));
  }

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private interface Operation<T> {
    void start(Reply<T> reply);
  }

  private static <T> T await(Operation<T> operation) throws Exception {
    var reply = new Outcome<T>();
    operation.start(reply);
    try {
      return reply.future.get(20, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw (Exception) e.getCause();
    }
  }

  private static final class Outcome<T> extends Reply<T> {
    final CompletableFuture<T> future = new CompletableFuture<>();

    @Override
    protected void sendSuccess(T value) {
      future.complete(value);
    }

    @Override
    protected void sendError(int errno) {
      future.completeExceptionally(new ErrnoException(errno));
    }
  }

  private static final class Sink implements DirectorySink {
    record Line(String name, long offset) {}

    final List<Line> lines = new ArrayList<>();
    final List<NodeEntry> entries = new ArrayList<>();
    private final int room;

    Sink(int room) {
      this.room = room;
    }

    @Override
    public boolean fits(int nameBytes) {
      return lines.size() < room;
    }

    @Override
    public boolean add(long offset, ByteString name, long ino, int type, NodeEntry entry) {
      lines.add(new Line(name.toStringUtf8(), offset));
      entries.add(entry);
      return true;
    }
  }
}
