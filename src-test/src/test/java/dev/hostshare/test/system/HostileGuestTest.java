package dev.hostshare.test.system;

import static dev.hostshare.test.system.RawClient.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.CopyFileRange;
import dev.hostshare.proto.v1.Create;
import dev.hostshare.proto.v1.Fallocate;
import dev.hostshare.proto.v1.Flush;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.Fsync;
import dev.hostshare.proto.v1.Getattr;
import dev.hostshare.proto.v1.Getlk;
import dev.hostshare.proto.v1.Getxattr;
import dev.hostshare.proto.v1.Link;
import dev.hostshare.proto.v1.Listxattr;
import dev.hostshare.proto.v1.Lock;
import dev.hostshare.proto.v1.Lseek;
import dev.hostshare.proto.v1.Mkdir;
import dev.hostshare.proto.v1.Mknod;
import dev.hostshare.proto.v1.Mount;
import dev.hostshare.proto.v1.Open;
import dev.hostshare.proto.v1.Opendir;
import dev.hostshare.proto.v1.Read;
import dev.hostshare.proto.v1.Readdir;
import dev.hostshare.proto.v1.Readlink;
import dev.hostshare.proto.v1.Release;
import dev.hostshare.proto.v1.Rename;
import dev.hostshare.proto.v1.Rmdir;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Setattr;
import dev.hostshare.proto.v1.Setlk;
import dev.hostshare.proto.v1.Setxattr;
import dev.hostshare.proto.v1.Statfs;
import dev.hostshare.proto.v1.Symlink;
import dev.hostshare.proto.v1.Tmpfile;
import dev.hostshare.proto.v1.Unlink;
import dev.hostshare.proto.v1.Walk;
import dev.hostshare.proto.v1.Write;
import dev.hostshare.test.posix.Identity;
import dev.hostshare.test.posix.Task;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A guest that speaks the protocol and means harm. Whatever it sends, it gets nothing from outside
 * its share, and the server serves the others.
 */
@SystemTest
class HostileGuestTest {
  private static final long NEVER_GIVEN = 0x7777_7777L;

  private Path folder;
  private Path share;
  private Path socket;
  private Server server;
  private RawClient client;
  private long root;

  /**
   * Makes
   *
   * <pre>
   * folder/
   *   secret/        outside every share, readable by the server's user
   *     f            "outside"
   *   share/
   *     f            "inside"
   *     link -> ../secret/f
   *     up -> ..
   * </pre>
   */
  @BeforeEach
  void start() throws IOException {
    folder = Installation.newFolder("hostshare-hostile");
    share = Files.createDirectory(folder.resolve("share"));
    var secret = Files.createDirectory(folder.resolve("secret"));
    Files.writeString(secret.resolve("f"), "outside");
    Files.writeString(share.resolve("f"), "inside");
    Files.createSymbolicLink(share.resolve("link"), Path.of("../secret/f"));
    Files.createSymbolicLink(share.resolve("up"), Path.of(".."));
    Command.run("chown", "-R", Server.UID + ":" + Server.GID, folder.toString()).expectSuccess();
    socket = folder.resolve("sock");
    server =
        Server.start(
            "--state", folder.resolve("state").toString(),
            "--listen", "unix:" + socket,
            "--share", share.toString());
    client = RawClient.attach(socket);
    root = client.mount(share.toString()).getRoot().getNode();
  }

  @AfterEach
  void stop() {
    try {
      assertEquals("outside", Files.readString(folder.resolve("secret/f")));
      try (var files = Files.list(folder)) {
        assertEquals(
            Set.of("secret", "share", "state", "sock"),
            Set.copyOf(files.map(path -> path.getFileName().toString()).toList()));
      }
      assertServesOthers();
    } catch (IOException e) {
      throw new AssertionError(e);
    } finally {
      client.close();
      server.close();
      Installation.remove(folder);
    }
  }

  private void assertServesOthers() {
    try (var other = RawClient.attach(socket)) {
      long node = other.mount(share.toString()).getRoot().getNode();
      assertEquals(
          0, other.call(request().setGetattr(Getattr.newBuilder().setNode(node))).getErrno());
    }
  }

  private static ClientFrame.Builder request() {
    return ClientFrame.newBuilder();
  }

  private static ClientFrame.Builder walk(long node, String... names) {
    var walk = Walk.newBuilder().setNode(node);
    for (var name : names) {
      walk.addNames(bytes(name));
    }
    return request().setWalk(walk);
  }

  /** The node of a name in the share's root. */
  private long node(String name) {
    var reply = client.call(walk(root, name));
    assertEquals(0, reply.getErrno(), name);
    return reply.getWalked().getEntries(0).getNode();
  }

  private static String errno(ServerFrame reply) {
    return Errno.name(reply.getErrno());
  }

  @Test
  void namesThatAreNoNamesAreRefusedEverywhere() {
    long file = node("f");
    var names =
        List.of(
            "",
            ".",
            "..",
            "/",
            "a/b",
            "../secret",
            "../secret/f",
            "/etc/passwd",
            "f\0",
            "\0",
            "f\0g",
            "x".repeat(256));
    for (var text : names) {
      var name = bytes(text);
      var requests =
          List.of(
              walk(root, text),
              walk(root, "up", text),
              request().setMkdir(Mkdir.newBuilder().setParent(root).setName(name).setMode(0777)),
              request()
                  .setMknod(
                      Mknod.newBuilder().setParent(root).setName(name).setMode(Linux.S_IFIFO)),
              request()
                  .setCreate(
                      Create.newBuilder()
                          .setParent(root)
                          .setName(name)
                          .setMode(0666)
                          .setFlags(Linux.O_RDWR)),
              request()
                  .setSymlink(
                      Symlink.newBuilder().setParent(root).setName(name).setTarget(bytes("t"))),
              request().setUnlink(Unlink.newBuilder().setParent(root).setName(name)),
              request().setRmdir(Rmdir.newBuilder().setParent(root).setName(name)),
              request()
                  .setLink(Link.newBuilder().setNode(file).setNewParent(root).setNewName(name)),
              request()
                  .setRename(
                      Rename.newBuilder()
                          .setParent(root)
                          .setName(bytes("f"))
                          .setNewParent(root)
                          .setNewName(name)),
              request()
                  .setRename(
                      Rename.newBuilder()
                          .setParent(root)
                          .setName(name)
                          .setNewParent(root)
                          .setNewName(bytes("g"))));
      for (var sent : requests) {
        var reply = client.call(sent);
        assertNotEquals(0, reply.getErrno(), () -> "accepted '" + text + "': " + sent);
      }
    }
    assertEquals(0, client.call(walk(root, "f")).getErrno());
  }

  @Test
  void symlinksAreNeverFollowed() {
    for (var name : List.of("up", "link")) {
      long link = node(name);
      assertEquals(
          Linux.S_IFLNK,
          client.call(request().setGetattr(Getattr.newBuilder().setNode(link))).getAttr().getMode()
              & Linux.S_IFMT);
      assertEquals("ENOTDIR", errno(client.call(walk(link, "secret"))));
      assertEquals("ENOTDIR", errno(client.call(walk(root, name, "secret", "f"))));
      var opened = client.call(request().setOpen(Open.newBuilder().setNode(link)));
      assertEquals("ELOOP", errno(opened));
      assertNotEquals(
          0, client.call(request().setOpendir(Opendir.newBuilder().setNode(link))).getErrno());
      var created =
          client.call(
              request()
                  .setCreate(
                      Create.newBuilder()
                          .setParent(root)
                          .setName(bytes(name))
                          .setMode(0666)
                          .setFlags(Linux.O_RDWR | Linux.O_TRUNC)));
      assertEquals("ELOOP", errno(created));
      var truncated =
          client.call(request().setSetattr(Setattr.newBuilder().setNode(link).setSize(0)));
      assertNotEquals(0, truncated.getErrno());
    }
  }

  @Test
  void onlySharesCanBeMounted() {
    for (var path :
        List.of(
            folder.toString(),
            share + "/..",
            share + "/../secret",
            share + "/up",
            folder.resolve("secret").toString(),
            "/",
            "",
            "/etc",
            share + "\0")) {
      var reply = client.call(request().setMount(Mount.newBuilder().setPath(path)));
      assertTrue(
          Set.of(Errno.ENOENT, Errno.EACCES, Errno.EINVAL).contains(reply.getErrno()),
          () -> "'" + path + "' answered " + errno(reply));
    }
  }

  @Test
  void nodesThatWereNeverGivenAreStale() {
    try (var other = RawClient.attach(socket)) {
      // Another session's node ids mean nothing here: what is not ours is stale or ours.
      assertTrue(other.awaitWelcome().getVersion() >= 1);
    }
    var name = bytes("x");
    for (long id : new long[] {NEVER_GIVEN, 0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      var requests =
          List.of(
              walk(id, "f"),
              request().setGetattr(Getattr.newBuilder().setNode(id)),
              request().setSetattr(Setattr.newBuilder().setNode(id).setMode(0777)),
              request().setReadlink(Readlink.newBuilder().setNode(id)),
              request()
                  .setSymlink(Symlink.newBuilder().setParent(id).setName(name).setTarget(name)),
              request().setMkdir(Mkdir.newBuilder().setParent(id).setName(name)),
              request()
                  .setMknod(Mknod.newBuilder().setParent(id).setName(name).setMode(Linux.S_IFREG)),
              request().setUnlink(Unlink.newBuilder().setParent(id).setName(name)),
              request().setRmdir(Rmdir.newBuilder().setParent(id).setName(name)),
              request()
                  .setRename(
                      Rename.newBuilder()
                          .setParent(root)
                          .setName(bytes("f"))
                          .setNewParent(id)
                          .setNewName(name)),
              request().setLink(Link.newBuilder().setNode(id).setNewParent(root).setNewName(name)),
              request().setStatfs(Statfs.newBuilder().setNode(id)),
              request().setOpen(Open.newBuilder().setNode(id)),
              request().setOpendir(Opendir.newBuilder().setNode(id)),
              request().setCreate(Create.newBuilder().setParent(id).setName(name)),
              request().setTmpfile(Tmpfile.newBuilder().setParent(id).setFlags(Linux.O_RDWR)),
              request().setGetxattr(Getxattr.newBuilder().setNode(id).setName(bytes("user.a"))),
              request().setSetxattr(Setxattr.newBuilder().setNode(id).setName(bytes("user.a"))),
              request().setListxattr(Listxattr.newBuilder().setNode(id)));
      for (var sent : requests) {
        assertEquals("ESTALE", errno(client.call(sent)), sent::toString);
      }
    }
  }

  @Test
  void handlesThatWereNeverGivenAreBad() {
    for (long id : new long[] {NEVER_GIVEN, 0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      var lock = Lock.newBuilder().setType(Linux.F_WRLCK).setEnd(Long.MAX_VALUE);
      var requests =
          List.of(
              request().setRead(Read.newBuilder().setHandle(id).setSize(10)),
              request().setWrite(Write.newBuilder().setHandle(id).setData(bytes("x"))),
              request().setFlush(Flush.newBuilder().setHandle(id)),
              request().setFsync(Fsync.newBuilder().setHandle(id)),
              request().setRelease(Release.newBuilder().setHandle(id)),
              request().setFallocate(Fallocate.newBuilder().setHandle(id).setLength(10)),
              request().setLseek(Lseek.newBuilder().setHandle(id).setWhence(Linux.SEEK_DATA)),
              request()
                  .setCopyFileRange(
                      CopyFileRange.newBuilder().setHandleIn(id).setHandleOut(id).setLength(1)),
              request().setReaddir(Readdir.newBuilder().setHandle(id).setSize(4096)),
              request().setGetlk(Getlk.newBuilder().setHandle(id).setLock(lock)),
              request().setSetlk(Setlk.newBuilder().setHandle(id).setLock(lock)));
      for (var sent : requests) {
        assertEquals("EBADF", errno(client.call(sent)), sent::toString);
      }
    }
  }

  @Test
  void absurdNumbersAreErrors() {
    var created =
        client.call(
            request()
                .setCreate(
                    Create.newBuilder()
                        .setParent(root)
                        .setName(bytes("n"))
                        .setMode(0xffff_ffff)
                        .setFlags(Linux.O_RDWR)));
    assertEquals(0, created.getErrno());
    long handle = created.getOpened().getHandle();
    var requests =
        List.of(
            request().setRead(Read.newBuilder().setHandle(handle).setOffset(-1).setSize(10)),
            request()
                .setWrite(Write.newBuilder().setHandle(handle).setOffset(-5).setData(bytes("x"))),
            request()
                .setFallocate(Fallocate.newBuilder().setHandle(handle).setOffset(-1).setLength(-1)),
            request().setLseek(Lseek.newBuilder().setHandle(handle).setWhence(-7)),
            request()
                .setMknod(
                    Mknod.newBuilder().setParent(root).setName(bytes("m")).setMode(0xffff_ffff)),
            request()
                .setSetxattr(
                    Setxattr.newBuilder().setNode(root).setName(bytes("user." + "x".repeat(1000)))),
            request()
                .setSetxattr(
                    Setxattr.newBuilder()
                        .setNode(root)
                        .setName(bytes("user.big"))
                        .setValue(ByteString.copyFrom(new byte[65_537]))),
            request()
                .setSetlk(
                    Setlk.newBuilder()
                        .setHandle(handle)
                        .setLock(Lock.newBuilder().setType(99).setStart(-3).setEnd(-9))));
    for (var sent : requests) {
      assertNotEquals(0, client.call(sent).getErrno(), sent::toString);
    }
    // A read of 4 GiB is answered with what is there, or refused; it is not tried.
    var read = client.call(request().setRead(Read.newBuilder().setHandle(handle).setSize(-1)));
    assertTrue(read.getErrno() != 0 || read.getData().isEmpty());
  }

  @Test
  void brokenSessionsAreEnded() {
    try (var first = RawClient.connect(socket)) {
      first.send(walk(1, "f").setSeq(1).build());
      assertEquals(Status.Code.FAILED_PRECONDITION, first.awaitEnd().getCode());
    }
    try (var version = RawClient.connect(socket)) {
      var hello = RawClient.hello();
      version.send(
          hello.toBuilder().setHello(hello.getHello().toBuilder().setVersion(4711)).build());
      assertEquals(Status.Code.FAILED_PRECONDITION, version.awaitEnd().getCode());
    }
    try (var empty = RawClient.attach(socket)) {
      empty.send(ClientFrame.newBuilder().setSeq(1).build());
      assertEquals(Status.Code.INVALID_ARGUMENT, empty.awaitEnd().getCode());
    }
    try (var many = RawClient.attach(socket)) {
      var forget = Forget.newBuilder();
      forget.addAllNodes(Collections.nCopies(500_000, Forget.One.getDefaultInstance()));
      many.send(ClientFrame.newBuilder().setForget(forget).build());
      assertEquals(Status.Code.INVALID_ARGUMENT, many.awaitEnd().getCode());
    }
    try (var huge = RawClient.attach(socket)) {
      long node = huge.mount(share.toString()).getRoot().getNode();
      assertTrue(node != 0);
      huge.send(
          request()
              .setSeq(2)
              .setWrite(Write.newBuilder().setData(ByteString.copyFrom(new byte[64 << 20])))
              .build());
      assertNotEquals(Status.Code.OK, huge.awaitEnd().getCode());
    }
  }

  /** Open files are a budget: beyond it there is an error, and the server lives. */
  @Test
  void handlesAreBounded() {
    long file = node("f");
    var replies = new ArrayList<CompletableFuture<ServerFrame>>();
    var window = new Semaphore(64);
    for (int i = 0; i < 300_000 && !client.hasEnded(); i++) {
      window.acquireUninterruptibly();
      replies.add(
          client
              .begin(request().setOpen(Open.newBuilder().setNode(file)))
              .whenComplete((frame, e) -> window.release()));
      if (i % 1000 == 0 && !client.hasEnded() && replies.getLast().join().getErrno() != 0) {
        break;
      }
    }
    assertTrue(
        client.hasEnded()
            || Set.of(Errno.EMFILE, Errno.ENFILE).contains(replies.getLast().join().getErrno()),
        "300,000 handles were given out");
  }

  /**
   * One side swaps a directory for a symlink that leads outside, as fast as it can, while the other
   * opens and makes files through it: 100,000 tries, none escapes.
   */
  @Test
  void swappedDirectoryLetsNothingEscape() throws Exception {
    var inside = Files.createDirectory(share.resolve("swap"));
    Files.writeString(inside.resolve("f"), "inside");
    Files.createSymbolicLink(share.resolve("trap"), folder.resolve("secret"));
    Command.run("chown", "-hR", Server.UID + ":" + Server.GID, share.toString()).expectSuccess();
    var done = new AtomicBoolean();
    var swaps = new AtomicInteger();
    var swapper =
        Thread.ofPlatform()
            .start(
                () -> {
                  try (var task = Task.start(Identity.ROOT)) {
                    while (!done.get()) {
                      task.rename(
                          share.resolve("swap").toString(),
                          share.resolve("trap").toString(),
                          Linux.RENAME_EXCHANGE);
                      swaps.incrementAndGet();
                    }
                  }
                });
    var read = new AtomicInteger();
    var made = new AtomicInteger();
    var escaped = new AtomicInteger();
    try {
      var window = new Semaphore(64);
      var attempts = new ArrayList<CompletableFuture<?>>();
      for (int i = 0; i < 100_000; i++) {
        window.acquireUninterruptibly();
        var attempt = i % 2 == 0 ? readThrough(read, escaped) : makeThrough("made" + i, made);
        attempts.add(attempt.whenComplete((ignored, e) -> window.release()));
      }
      CompletableFuture.allOf(attempts.toArray(CompletableFuture[]::new)).join();
    } finally {
      done.set(true);
      swapper.join();
    }
    assertFalse(client.hasEnded());
    assertEquals(0, escaped.get());
    try (var files = Files.list(folder.resolve("secret"))) {
      assertEquals(List.of("f"), files.map(path -> path.getFileName().toString()).toList());
    }
    // Both sides must have had their turn, or the test proves nothing.
    assertTrue(swaps.get() > 1000, "only " + swaps + " swaps");
    assertTrue(read.get() > 100 && made.get() > 100, read + " read, " + made + " made");
  }

  /** Walks to swap/f, opens it, reads it, and gives everything back. */
  private CompletableFuture<?> readThrough(AtomicInteger read, AtomicInteger escaped) {
    return client
        .begin(walk(root, "swap", "f"))
        .thenCompose(
            walked -> {
              if (walked.getErrno() != 0 || walked.getWalked().getEntriesCount() < 2) {
                return CompletableFuture.completedFuture(walked);
              }
              long file = walked.getWalked().getEntries(1).getNode();
              return client.begin(request().setOpen(Open.newBuilder().setNode(file)));
            })
        .thenCompose(
            opened -> {
              if (opened.getErrno() != 0 || !opened.hasOpened()) {
                return CompletableFuture.completedFuture(opened);
              }
              long handle = opened.getOpened().getHandle();
              return client
                  .begin(request().setRead(Read.newBuilder().setHandle(handle).setSize(100)))
                  .thenCompose(
                      reply -> {
                        var text = reply.getData().toStringUtf8();
                        (text.equals("inside") ? read : escaped).incrementAndGet();
                        return client.begin(
                            request().setRelease(Release.newBuilder().setHandle(handle)));
                      });
            });
  }

  /** Walks to swap and makes a file in it. */
  private CompletableFuture<?> makeThrough(String name, AtomicInteger made) {
    return client
        .begin(walk(root, "swap"))
        .thenCompose(
            walked -> {
              if (walked.getErrno() != 0) {
                return CompletableFuture.completedFuture(walked);
              }
              long directory = walked.getWalked().getEntries(0).getNode();
              return client.begin(
                  request()
                      .setMknod(
                          Mknod.newBuilder()
                              .setParent(directory)
                              .setName(bytes(name))
                              .setMode(Linux.S_IFREG | 0644)));
            })
        .thenAccept(
            reply -> {
              if (reply.getErrno() == 0 && reply.hasEntry()) {
                made.incrementAndGet();
              }
            });
  }
}
