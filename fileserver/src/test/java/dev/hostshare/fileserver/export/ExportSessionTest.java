package dev.hostshare.fileserver.export;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.LinuxHost;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a guest sees and may do, against a real folder and a real store. */
final class ExportSessionTest {
  /** So few that the tests evict all the time. */
  private static final int DESCRIPTORS = 4;

  private static final Caller ROOT = new Caller(true, 0, 0, 1, new int[0]);
  private static final Caller POSTGRES = new Caller(true, 999, 999, 1, new int[0]);
  private static final Caller ANN = new Caller(true, 1001, 1001, 1, new int[] {50});
  private static final Caller BOB = new Caller(true, 1002, 1002, 1, new int[0]);

  @TempDir private Path temp;
  private final HostFs host = new LinuxHost();
  private Path share;
  private OverlayStore overlay;
  private Export export;
  private ExportSession session;
  private Quota all = new Quota(10_000);
  private Quota allHandles = new Quota(1000);
  private long root;

  @BeforeEach
  void open() throws Exception {
    share = java.nio.file.Files.createDirectory(temp.resolve("share"));
    java.nio.file.Files.createDirectory(share.resolve("state"));
    overlay = OverlayStore.open(share.resolve("state"));
    LinuxHost.clearUmask();
    start(new OwnerPolicy.Host(), false);
  }

  private void start(OwnerPolicy owner, boolean readOnly) throws Exception {
    Volumes volumes = new Volumes(host, overlay);
    int fd = host.openRoot(share.resolve("state"));
    FileId hidden = volumes.identify(host.stat(fd, HostFs.SELF), fd, HostFs.SELF);
    host.close(fd);
    export =
        Export.open(new ShareSpec(share, readOnly, owner), share, host, overlay, volumes, hidden);
    session =
        new ExportSession(
            host,
            overlay,
            new DirectoryDescriptors(host, DESCRIPTORS),
            new Watches(null, 0),
            new SessionLimits(10_000, all, 64, allHandles, 4));
    root = session.mount(export, ROOT).node();
  }

  private void restart(OwnerPolicy owner, boolean readOnly) throws Exception {
    session.close();
    export.close();
    start(owner, readOnly);
  }

  @AfterEach
  void close() throws IOException {
    session.close();
    export.close();
    overlay.close();
  }

  // ---- owner, mode, and whose they are ----

  @Test
  void chownAndChmodAreSeenByTheGuestAndNotByTheHost() throws Exception {
    Path file = java.nio.file.Files.writeString(share.resolve("f"), "x");
    Map<String, Object> before = hostAttributes(file);
    long node = lookup(root, "f").node();
    session.inodes().set(node, 0, owner(999, 998), ROOT);
    session.inodes().set(node, 0, mode(0400), ROOT);
    Attributes seen = lookup(root, "f").attributes();
    assertEquals(999, seen.uid());
    assertEquals(998, seen.gid());
    assertEquals(Linux.S_IFREG | 0400, seen.mode());
    assertEquals(before, hostAttributes(file));
  }

  @Test
  void aNewFileBelongsToItsMakerAndCanBeServedWhateverItsMode() throws Exception {
    Files.Opened opened =
        session
            .files()
            .create(root, name("f"), 0, 0, Linux.O_RDWR | Linux.O_CREAT, false, POSTGRES);
    assertEquals(Linux.S_IFREG, opened.attributes().mode());
    assertEquals(999, opened.attributes().uid());
    assertEquals(0600, (int) hostAttributes(share.resolve("f")).get("mode") & 0777);
    session.files().release(opened.handle());
    Files.Opened again = session.files().open(opened.entry().node(), Linux.O_RDWR, false, POSTGRES);
    write(again.handle(), "data");
    assertEquals("data", java.nio.file.Files.readString(share.resolve("f")));
  }

  @Test
  void umaskAndSetgidDirectoriesWorkAsOnLinux() throws Exception {
    long dir = session.names().mkdir(root, name("d"), 0777, 022, POSTGRES).node();
    session
        .inodes()
        .set(dir, 0, new AttributeChange(02775, null, 50, null, null, null, false), ROOT);
    Attributes sub = session.names().mkdir(dir, name("sub"), 0777, 022, ANN).attributes();
    assertEquals(Linux.S_IFDIR | 02755, sub.mode());
    assertEquals(50, sub.gid());
    Attributes file = session.names().mknod(dir, name("f"), 0666, 0, 022, ANN).attributes();
    assertEquals(Linux.S_IFREG | 0644, file.mode());
    assertEquals(50, file.gid());
    assertEquals(1001, file.uid());
  }

  @Test
  void aDefaultAclTakesTheUmasksPlace() throws Exception {
    long dir = session.names().mkdir(root, name("d"), 0777, 0, ROOT).node();
    PosixAcl acl =
        new PosixAcl(
            List.of(
                new PosixAcl.AclEntry(PosixAcl.USER_OBJ, 7, -1),
                new PosixAcl.AclEntry(PosixAcl.USER, 7, 1000),
                new PosixAcl.AclEntry(PosixAcl.GROUP_OBJ, 5, -1),
                new PosixAcl.AclEntry(PosixAcl.MASK, 7, -1),
                new PosixAcl.AclEntry(PosixAcl.OTHER, 0, -1)));
    session.xattrs().set(dir, PosixAcl.DEFAULT, acl.toBytes(), 0, false, ROOT);
    Entry made = session.names().mknod(dir, name("f"), Linux.S_IFREG | 0666, 0, 077, ANN);
    assertEquals(0660, made.attributes().permissions());
    assertEquals(
        acl.forCreation(0666),
        PosixAcl.parse(session.xattrs().get(made.node(), PosixAcl.ACCESS, ANN)));
    long sub = session.names().mkdir(dir, name("sub"), 0777, 077, ANN).node();
    assertArrayEquals(acl.toBytes(), session.xattrs().get(sub, PosixAcl.DEFAULT, ANN));
  }

  @Test
  void specialFilesArePlaceholdersOnTheHost() throws Exception {
    long device = Linux.makedev(1, 3);
    session.names().mknod(root, name("null"), Linux.S_IFCHR | 0666, device, 0, ROOT);
    session.names().mknod(root, name("pipe"), Linux.S_IFIFO | 0600, 0, 0, ROOT);
    Attributes seen = lookup(root, "null").attributes();
    assertEquals(Linux.S_IFCHR | 0666, seen.mode());
    assertEquals(device, seen.rdev());
    assertTrue(java.nio.file.Files.isRegularFile(share.resolve("null")));
    Map<String, Integer> types = new java.util.HashMap<>();
    long handle = session.directories().open(root, 0, Directories.Detail.NAMES, ROOT).handle();
    for (Directories.Listed e :
        session.directories().read(handle, 0, 65536, Directories.Detail.NAMES, ROOT).entries()) {
      types.put(new String(e.name(), UTF_8), e.type());
    }
    assertEquals(Linux.S_IFCHR, types.get("null"));
    assertEquals(Linux.S_IFIFO, types.get("pipe"));
  }

  @Test
  void firstEntriesComeWithTheOpen() throws Exception {
    long dir = session.names().mkdir(root, name("dir"), 0755, 0, ROOT).node();
    for (String n : List.of("a", "b", "c")) {
      session.names().mkdir(dir, name(n), 0755, 0, ROOT);
    }
    Directories.Opened all =
        session.directories().open(dir, 1 << 16, Directories.Detail.ATTRIBUTES, ROOT);
    assertEquals(0, all.handle(), "nothing is left to be read");
    assertTrue(all.first().end());
    assertEquals(3, all.first().entries().size());
    assertTrue(all.first().entries().stream().allMatch(e -> e.entry() != null));
    assertEquals(all.attributes().inode(), all.read().inode());
    assertErrno(
        Errno.EBADF, () -> session.directories().read(0, 0, 1, Directories.Detail.NAMES, ROOT));

    Directories.Opened some = session.directories().open(dir, 1, Directories.Detail.NAMES, ROOT);
    assertNull(some.read());
    assertEquals(1, some.first().entries().size());
    long cookie = some.first().entries().getLast().cookie();
    Directories.Listing rest =
        session.directories().read(some.handle(), cookie, 1 << 16, Directories.Detail.NAMES, ROOT);
    assertEquals(2, rest.entries().size());
    assertTrue(rest.end());
  }

  @Test
  void directoriesThatAreOpenedAheadAreToldWholeOrNotAtAll() throws Exception {
    long dir = session.names().mkdir(root, name("dir"), 0755, 0, ROOT).node();
    long sub = session.names().mkdir(dir, name("sub"), 0755, 0, ROOT).node();
    session.names().mknod(dir, name("file"), Linux.S_IFREG | 0644, 0, 0, ROOT);
    session.names().mknod(dir, name("null"), Linux.S_IFCHR | 0666, 259, 0, ROOT);
    long file = lookup(dir, "file").node();
    int nodes = session.nodeCount();

    List<Directories.Opened> told =
        session
            .directories()
            .openAhead(
                List.of(dir, file, 999_999L, sub),
                1 << 16,
                1 << 20,
                Directories.Detail.DIRECTORIES,
                ROOT);

    assertEquals(4, told.size());
    Map<String, Directories.Listed> listed = new java.util.HashMap<>();
    told.getFirst().first().entries().forEach(e -> listed.put(new String(e.name(), UTF_8), e));
    assertEquals(sub, listed.get("sub").entry().node());
    assertNull(listed.get("file").entry(), "by name only");
    assertNull(listed.get("null").entry());
    assertEquals(Linux.S_IFCHR, listed.get("null").type());
    assertNull(told.get(1), "no directory");
    assertNull(told.get(2), "no node");
    assertEquals(List.of(), told.get(3).first().entries());
    session.forget(sub, 1);

    for (Directories.Detail detail : Directories.Detail.values()) {
      told = session.directories().openAhead(List.of(dir), 1, 1 << 20, detail, ROOT);
      assertNull(told.getFirst(), "does not fit");
    }
    told =
        session
            .directories()
            .openAhead(
                java.util.Collections.nCopies(64, sub),
                1 << 16,
                1000,
                Directories.Detail.NAMES,
                ROOT);
    assertTrue(told.getFirst() != null && told.getLast() == null, "not more than fits in all");
    assertEquals(nodes, session.nodeCount(), "lookup counts of what was not told");
    assertEquals(0, session.handleCount());
    assertErrno(
        Errno.EINVAL,
        () ->
            session
                .directories()
                .openAhead(
                    java.util.Collections.nCopies(65, dir), 1, 1, Directories.Detail.NAMES, ROOT));
  }

  @Test
  void nodesOfAllSessionsAreBoundedAndListingsThenHaveNamesOnly() throws Exception {
    for (int i = 0; i < 5; i++) {
      java.nio.file.Files.writeString(share.resolve("f" + i), "x");
    }
    all = new Quota(3); // the root and two more
    restart(new OwnerPolicy.Host(), false);
    Directories.Opened told =
        session.directories().open(root, 1 << 16, Directories.Detail.ATTRIBUTES, ROOT);
    List<Directories.Listed> listed = told.first().entries();
    assertTrue(listed.size() >= 5);
    assertEquals(2, listed.stream().filter(e -> e.entry() != null).count());
    String unknown =
        listed.stream()
            .filter(e -> e.entry() == null)
            .map(e -> new String(e.name(), UTF_8))
            .filter(n -> n.startsWith("f"))
            .findFirst()
            .orElseThrow();
    assertErrno(Errno.ENFILE, () -> lookup(root, unknown));
    listed.stream()
        .filter(e -> e.entry() != null)
        .forEach(e -> session.forget(e.entry().node(), 1));
    assertEquals(1, all.count());
    assertEquals(1, lookup(root, unknown).attributes().stat().size());
    session.close();
    assertEquals(0, all.count(), "given back with the session");
  }

  @Test
  void descriptorsOfAllSessionsAreBoundedThoseOfLocksIncluded() throws Exception {
    java.nio.file.Files.writeString(share.resolve("f"), "x");
    allHandles = new Quota(3);
    restart(new OwnerPolicy.Host(), false);
    long f = lookup(root, "f").node();
    long first = session.files().open(f, Linux.O_RDWR, false, ROOT).handle();
    long second = session.files().open(f, Linux.O_RDWR, false, ROOT).handle();
    var range = new Locks.Range(Linux.F_WRLCK, 0, 0);
    assertTrue(session.locks().trySet(first, 1, 1, range));
    assertTrue(session.locks().trySet(second, 1, 1, new Locks.Range(Linux.F_WRLCK, 5, 5)));
    assertErrno(Errno.ENFILE, () -> session.files().open(f, Linux.O_RDONLY, false, ROOT));
    assertErrno(Errno.ENFILE, () -> session.directories().open(root, 0, null, ROOT));
    assertErrno(Errno.ENOLCK, () -> session.locks().trySet(first, 2, 2, range));
    session.files().release(second);
    assertFalse(session.locks().trySet(first, 2, 2, range));
    session.files().release(session.files().open(f, Linux.O_RDONLY, false, ROOT).handle());
    session.close();
    assertEquals(0, allHandles.count(), "given back with the session");
  }

  @Test
  void anUnprivilegedWriteOrChownClearsSetuid() throws Exception {
    Files.Opened f = session.files().create(root, name("f"), 06755, 0, Linux.O_RDWR, false, ROOT);
    long node = f.entry().node();
    assertEquals(06755, f.attributes().permissions());
    session.files().write(f.handle(), 0, segment("x"), true);
    assertEquals(0755, session.inodes().get(node, 0, ROOT).permissions());
    session.inodes().set(node, 0, mode(06745), ROOT);
    session.inodes().set(node, 0, new AttributeChange(null, 5, 5, null, null, null, true), ROOT);
    assertEquals(02745, session.inodes().get(node, 0, ROOT).permissions());
  }

  @Test
  void ownerPoliciesSayWhoOwnsWhatHasNoRecord() throws Exception {
    java.nio.file.Files.writeString(share.resolve("f"), "x");
    restart(new OwnerPolicy.Fixed(33, 34), false);
    assertEquals(33, lookup(root, "f").attributes().uid());
    assertEquals(34, lookup(root, "f").attributes().gid());
    restart(new OwnerPolicy.Caller(), false);
    assertEquals(1001, lookup(root, "f", ANN).attributes().uid());
    assertEquals(1002, lookup(root, "f", BOB).attributes().uid());
  }

  @Test
  void withPolicyCallerTheServerChecksPermissions() throws Exception {
    restart(new OwnerPolicy.Caller(), false);
    long node = session.names().mknod(root, name("f"), Linux.S_IFREG | 0600, 0, 0, ANN).node();
    session.inodes().set(node, 0, owner(1001, 1001), ROOT);
    session.files().release(session.files().open(node, Linux.O_RDWR, false, ANN).handle());
    assertErrno(Errno.EACCES, () -> session.files().open(node, Linux.O_RDONLY, false, BOB));
    assertErrno(Errno.EPERM, () -> session.inodes().set(node, 0, mode(0666), BOB));
    assertErrno(Errno.EPERM, () -> session.inodes().set(node, 0, owner(1002, 1002), ANN));
    long dir = session.names().mkdir(root, name("d"), 0755, 0, ANN).node();
    session.inodes().set(dir, 0, owner(1001, 1001), ROOT);
    assertErrno(Errno.EACCES, () -> session.names().mkdir(dir, name("x"), 0755, 0, BOB));
    session.inodes().set(dir, 0, mode(0700), ANN);
    assertErrno(Errno.EACCES, () -> lookup(dir, "x", BOB));
  }

  // ---- what the host does meanwhile ----

  @Test
  void aRenameOnTheHostKeepsTheRecord() throws Exception {
    java.nio.file.Files.writeString(share.resolve("a"), "x");
    session.inodes().set(lookup(root, "a").node(), 0, owner(999, 999), ROOT);
    java.nio.file.Files.move(share.resolve("a"), share.resolve("b"));
    assertErrno(Errno.ENOENT, () -> lookup(root, "a"));
    assertEquals(999, lookup(root, "b").attributes().uid());
  }

  @Test
  void anEditorsAtomicSaveKeepsTheRecord() throws Exception {
    Path file = java.nio.file.Files.writeString(share.resolve("a"), "old");
    session.inodes().set(lookup(root, "a").node(), 0, owner(999, 999), ROOT);
    Path temporary = java.nio.file.Files.writeString(share.resolve(".a.swp"), "new");
    java.nio.file.Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
    assertEquals(999, lookup(root, "a").attributes().uid());
  }

  @Test
  void aFileMadeAfterADeleteInheritsNothing() throws Exception {
    Path file = java.nio.file.Files.writeString(share.resolve("a"), "old");
    int hostUid = lookup(root, "a").attributes().uid();
    long inode = lookup(root, "a").attributes().inode();
    session.inodes().set(lookup(root, "a").node(), 0, owner(999, 999), ROOT);
    java.nio.file.Files.delete(file);
    assertErrno(Errno.ENOENT, () -> lookup(root, "a"));
    // ext4 gives the inode number to the next file in the directory.
    for (int i = 0; i < 50; i++) {
      Path made = java.nio.file.Files.writeString(share.resolve(i == 0 ? "a" : "n" + i), "new");
      Attributes seen = lookup(root, made.getFileName().toString()).attributes();
      assertEquals(hostUid, seen.uid(), "inode " + seen.inode() + " after " + inode);
    }
  }

  @Test
  void theGuestsOwnReplacementTakesNothingOver() throws Exception {
    restart(new OwnerPolicy.Fixed(7, 7), false);
    Caller seven = new Caller(true, 7, 7, 1, new int[0]);
    session.names().mknod(root, name("a"), Linux.S_IFREG | 0600, 0, 0, ANN);
    session.names().mknod(root, name("t"), Linux.S_IFREG | 0600, 0, 0, seven);
    session.names().rename(root, name("t"), root, name("a"), 0, seven);
    assertEquals(7, lookup(root, "a").attributes().uid());
    assertEquals(0, overlay.size());
  }

  @Test
  void removingTheLastNameEndsTheRecordOnceNobodyHasTheFileOpen() throws Exception {
    Files.Opened f =
        session.files().create(root, name("a"), 0600, 0, Linux.O_RDWR, false, POSTGRES);
    session.names().link(f.entry().node(), root, name("b"), POSTGRES);
    session.names().unlink(root, name("a"), POSTGRES);
    assertEquals(1, overlay.size());
    session.names().unlink(root, name("b"), POSTGRES);
    write(f.handle(), "still here");
    assertEquals(999, session.inodes().get(f.entry().node(), 0, POSTGRES).uid());
    assertEquals(0, session.inodes().get(f.entry().node(), 0, POSTGRES).stat().nlink());
    session.files().release(f.handle());
    session.forget(f.entry().node(), 2);
    assertEquals(0, overlay.size());
  }

  @Test
  void onlySmallFilesThatAreGoneForGoodAreLight() throws Exception {
    Files.Opened gone =
        session.files().create(root, name("gone"), 0600, 0, Linux.O_RDWR, false, ROOT);
    session.files().release(gone.handle());
    assertFalse(session.isLight(gone.entry().node()), "still there");
    session.names().unlink(root, name("gone"), ROOT);
    assertTrue(session.isLight(gone.entry().node()));
    session.forget(gone.entry().node(), 1);
    assertFalse(session.isLight(gone.entry().node()), "forgotten");

    Files.Opened open =
        session.files().create(root, name("open"), 0600, 0, Linux.O_RDWR, false, ROOT);
    session.names().unlink(root, name("open"), ROOT);
    session.files().release(open.handle());
    assertFalse(session.isLight(open.entry().node()), "may have grown since");

    Files.Opened opened =
        session.files().create(root, name("opened"), 0600, 0, Linux.O_RDWR, false, ROOT);
    session.files().release(opened.handle());
    session.names().unlink(root, name("opened"), ROOT);
    long again = session.files().open(opened.entry().node(), Linux.O_RDWR, false, ROOT).handle();
    session.files().release(again);
    assertFalse(session.isLight(opened.entry().node()), "was opened since");

    java.nio.file.Files.write(share.resolve("large"), new byte[1 << 20]);
    long large = lookup(root, "large").node();
    session.names().unlink(root, name("large"), ROOT);
    assertFalse(session.isLight(large));

    long directory = session.names().mkdir(root, name("d"), 0755, 0, ROOT).node();
    session.names().rmdir(root, name("d"), ROOT);
    assertFalse(session.isLight(directory), "watched, perhaps");
  }

  @Test
  void aDirectoryRenamedOnTheHostAboveOpenFilesIsStaleAndFoundAgain() throws Exception {
    long d = session.names().mkdir(root, name("d"), 0755, 0, ROOT).node();
    Files.Opened f = session.files().create(d, name("f"), 0644, 0, Linux.O_RDWR, false, ROOT);
    evict();
    java.nio.file.Files.move(share.resolve("d"), share.resolve("e"));
    write(f.handle(), "x");
    assertEquals(1, session.inodes().get(f.entry().node(), 0, ROOT).stat().size());
    assertErrno(Errno.ESTALE, () -> lookup(d, "f"));
    assertEquals(d, lookup(root, "e").node(), "the same directory");
    assertEquals(f.entry().node(), lookup(d, "f").node());
  }

  // ---- who cannot be trusted ----

  @Test
  void namesThatAreNoComponentsAreRefused() throws Exception {
    for (String bad : List.of("..", ".", "/", "/etc", "a/b", "../x", "a\0b")) {
      assertErrno(Errno.EINVAL, () -> lookup(root, bad));
      assertErrno(Errno.EINVAL, () -> session.names().mkdir(root, name(bad), 0755, 0, ROOT));
      assertErrno(Errno.EINVAL, () -> session.names().unlink(root, name(bad), ROOT));
    }
    assertErrno(Errno.ENOENT, () -> lookup(root, ""));
    assertErrno(Errno.ENAMETOOLONG, () -> lookup(root, "x".repeat(256)));
    lookupMade("x".repeat(255));
  }

  private void lookupMade(String name) throws Exception {
    java.nio.file.Files.createFile(share.resolve(name));
    lookup(root, name);
  }

  @Test
  void idsThatWereNeverGivenOutAreRefused() {
    for (long id : new long[] {0, -1, root + 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
      assertErrno(Errno.ESTALE, () -> session.inodes().get(id, 0, ROOT));
      assertErrno(Errno.ESTALE, () -> lookup(id, "x"));
      assertErrno(Errno.EBADF, () -> session.files().read(id, 0, segment("x")));
      assertErrno(Errno.EBADF, () -> session.files().release(id));
      assertErrno(
          Errno.EBADF,
          () -> session.directories().read(id, 0, 4096, Directories.Detail.ATTRIBUTES, ROOT));
      session.forget(id, Long.MAX_VALUE);
    }
  }

  @Test
  void symlinksAreNeverFollowed() throws Exception {
    Path secret = java.nio.file.Files.writeString(temp.resolve("secret"), "secret");
    java.nio.file.Files.createSymbolicLink(share.resolve("link"), secret);
    java.nio.file.Files.createSymbolicLink(share.resolve("up"), temp);
    long link = lookup(root, "link").node();
    assertEquals(secret.toString(), new String(session.inodes().readlink(link), UTF_8));
    assertErrno(Errno.ELOOP, () -> session.files().open(link, Linux.O_RDONLY, false, ROOT));
    assertErrno(
        Errno.ELOOP,
        () -> session.files().create(root, name("link"), 0644, 0, Linux.O_RDWR, false, ROOT));
    assertErrno(Errno.ENOTDIR, () -> lookup(lookup(root, "up").node(), "secret"));
    assertErrno(Errno.EINVAL, () -> session.inodes().set(link, 0, size(0), ROOT));
    assertEquals("secret", java.nio.file.Files.readString(secret));
  }

  @Test
  void theServersOwnStateIsOutOfReach() throws Exception {
    assertErrno(Errno.EACCES, () -> lookup(root, "state"));
    assertErrno(
        Errno.EACCES, () -> session.names().rename(root, name("state"), root, name("s"), 0, ROOT));
    assertErrno(Errno.EACCES, () -> session.names().rmdir(root, name("state"), ROOT));
    long handle = session.directories().open(root, 0, Directories.Detail.NAMES, ROOT).handle();
    for (Directories.Listed e :
        session
            .directories()
            .read(handle, 0, 65536, Directories.Detail.ATTRIBUTES, ROOT)
            .entries()) {
      assertTrue(e.entry() == null || !new String(e.name(), UTF_8).equals("state"));
    }
  }

  @Test
  void aReadOnlyShareRefusesEveryChange() throws Exception {
    java.nio.file.Files.writeString(share.resolve("f"), "x");
    restart(new OwnerPolicy.Host(), true);
    long node = lookup(root, "f").node();
    assertErrno(Errno.EROFS, () -> session.inodes().set(node, 0, mode(0600), ROOT));
    assertErrno(Errno.EROFS, () -> session.files().open(node, Linux.O_RDWR, false, ROOT));
    assertErrno(Errno.EROFS, () -> session.files().open(node, Linux.O_TRUNC, false, ROOT));
    assertErrno(Errno.EROFS, () -> session.names().unlink(root, name("f"), ROOT));
    assertErrno(Errno.EROFS, () -> session.names().mkdir(root, name("d"), 0755, 0, ROOT));
    assertErrno(Errno.EROFS, () -> session.names().link(node, root, name("g"), ROOT));
    assertErrno(
        Errno.EROFS, () -> session.xattrs().set(node, name("user.x"), name("v"), 0, false, ROOT));
    assertErrno(
        Errno.EROFS, () -> session.names().rename(root, name("f"), root, name("g"), 0, ROOT));
  }

  @Test
  void aSessionMayHaveOnlySoManyHandles() throws Exception {
    long node = session.names().mknod(root, name("f"), 0644, 0, 0, ROOT).node();
    List<Long> handles = new ArrayList<>();
    assertErrno(
        Errno.ENFILE,
        () -> {
          while (true) {
            handles.add(session.files().open(node, Linux.O_RDONLY, false, ROOT).handle());
          }
        });
    assertEquals(64, handles.size());
    session.files().release(handles.removeLast());
    session.files().open(node, Linux.O_RDONLY, false, ROOT);
  }

  // ---- many directories, few descriptors ----

  @Test
  void deepTreesAreReachedWithFewDescriptors() throws Exception {
    long at = root;
    for (int i = 0; i < 50; i++) {
      at = session.names().mkdir(at, name("d" + i), 0755, 0, ROOT).node();
    }
    evict();
    long file = session.names().mknod(at, name("f"), 0644, 0, 0, ROOT).node();
    evict();
    assertEquals(1, session.inodes().get(file, 0, ROOT).stat().nlink());
    assertTrue(session.descriptors.size() <= 60, "descriptors " + session.descriptors.size());
    assertNotEquals(0, session.nodeCount());
  }

  /** Makes the cache drop what is not in use. */
  private void evict() throws Exception {
    for (int i = 0; i < 3 * DESCRIPTORS; i++) {
      long dir =
          session.names().mkdir(root, name("evict" + System.nanoTime()), 0755, 0, ROOT).node();
      lookupOrAbsent(dir);
    }
  }

  private void lookupOrAbsent(long dir) throws Exception {
    assertErrno(Errno.ENOENT, () -> lookup(dir, "nothing"));
  }

  // ---- helpers ----

  private Entry lookup(long parent, String name) throws ErrnoException {
    return lookup(parent, name, ROOT);
  }

  private Entry lookup(long parent, String name, Caller caller) throws ErrnoException {
    Names.Walked walked = session.names().walk(parent, List.of(name(name)), caller);
    if (walked.errno() != 0) {
      throw ErrnoException.of(walked.errno());
    }
    return walked.entries().getFirst();
  }

  private static byte[] name(String name) {
    return name.getBytes(UTF_8);
  }

  private static AttributeChange owner(int uid, int gid) {
    return new AttributeChange(null, uid, gid, null, null, null, false);
  }

  private static AttributeChange mode(int mode) {
    return new AttributeChange(mode, null, null, null, null, null, false);
  }

  private static AttributeChange size(long size) {
    return new AttributeChange(null, null, null, size, null, null, false);
  }

  private void write(long handle, String text) throws ErrnoException {
    assertEquals(text.length(), session.files().write(handle, 0, segment(text), false).count());
  }

  private static MemorySegment segment(String text) {
    byte[] bytes = text.getBytes(UTF_8);
    MemorySegment segment = Arena.ofAuto().allocate(bytes.length);
    MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return segment;
  }

  private static Map<String, Object> hostAttributes(Path file) throws IOException {
    return java.nio.file.Files.readAttributes(file, "unix:uid,gid,mode");
  }

  private interface Failing {
    void run() throws Exception;
  }

  private static void assertErrno(int errno, Failing call) {
    ErrnoException e = assertThrows(ErrnoException.class, call::run);
    assertEquals(Errno.name(errno), Errno.name(e.errno()));
  }
}
