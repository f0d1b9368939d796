package dev.hostshare.fileserver.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.fileserver.export.AttributeChange;
import dev.hostshare.fileserver.export.Caller;
import dev.hostshare.fileserver.export.DirectoryDescriptors;
import dev.hostshare.fileserver.export.Export;
import dev.hostshare.fileserver.export.ExportSession;
import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.export.Quota;
import dev.hostshare.fileserver.export.SessionLimits;
import dev.hostshare.fileserver.export.Shares;
import dev.hostshare.fileserver.export.Watches;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.LinuxHost;
import dev.hostshare.fileserver.overlay.OverlayException;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.fileserver.settings.EffectiveShare.State;
import dev.hostshare.fileserver.settings.SettingsException.Reason;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a guest can come to through its shares, when it tries. The list with its server, without the
 * wire.
 *
 * <pre>
 * temp/home/.local/state/hostshare  the server's state; home is shared
 * temp/home/data/f
 * temp/other/secret
 * </pre>
 */
final class GuestReachTest {
  private static final Caller ROOT = new Caller(true, 0, 0, 1, new int[0]);
  private static final Caller BOB = new Caller(true, 1002, 1002, 1, new int[0]);

  @TempDir private Path temp;
  private Path home;
  private Path data;
  private Path other;
  private Path state;
  private OverlayStore overlay;
  private Shares shares;
  private SettingsStore store;
  private ExportSession guest;
  private long root;

  /** What opening a share's folder fails with; 0 for not at all. */
  private int openErrno;

  @BeforeEach
  void start() throws Exception {
    temp = temp.toRealPath();
    home = Files.createDirectory(temp.resolve("home"));
    state = Files.createDirectories(home.resolve(".local/state/hostshare"));
    data = Files.createDirectory(home.resolve("data"));
    Files.writeString(data.resolve("f"), "data");
    other = Files.createDirectory(temp.resolve("other"));
    Files.writeString(other.resolve("secret"), "secret");
    HostFs host = failing(new LinuxHost());
    overlay = OverlayStore.open(state);
    var watches = new Watches(null, 0);
    shares = new Shares(host, overlay, watches, state);
    store = new SettingsStore(new SettingsStore.Config(state, temp.resolve("none"), home, null));
    store.enforce(
        list -> {
          Map<Path, String> failures = new HashMap<>();
          try {
            shares.apply(list).failures().forEach((p, e) -> failures.put(p, e.getMessage()));
          } catch (OverlayException e) {
            throw new AssertionError(e);
          }
          return failures;
        });
    guest =
        new ExportSession(
            host,
            overlay,
            new DirectoryDescriptors(host, 16),
            watches,
            new SessionLimits(1000, new Quota(1000), 64, new Quota(64), 4));
    root = mount(home);
  }

  private HostFs failing(HostFs host) {
    return (HostFs)
        Proxy.newProxyInstance(
            HostFs.class.getClassLoader(),
            new Class<?>[] {HostFs.class},
            (_, method, arguments) -> {
              if (openErrno != 0 && method.getName().equals("openRoot")) {
                throw ErrnoException.of(openErrno);
              }
              try {
                return method.invoke(host, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @AfterEach
  void close() throws IOException {
    guest.close();
    shares.close();
    overlay.close();
  }

  private static byte[] name(String name) {
    return name.getBytes(StandardCharsets.UTF_8);
  }

  private long mount(Path share) throws ErrnoException {
    return guest.mount(shares.find(share.toString()), ROOT).node();
  }

  private long walk(long from, String... names) throws ErrnoException {
    List<byte[]> path = new ArrayList<>();
    for (String name : names) {
      path.add(name(name));
    }
    var walked = guest.names().walk(from, path, ROOT);
    if (walked.errno() != 0) {
      throw ErrnoException.of(walked.errno());
    }
    return walked.entries().getLast().node();
  }

  private long open(long node, int flags) throws ErrnoException {
    return guest.files().open(node, flags, false, ROOT).handle();
  }

  private void write(long handle, String text) throws ErrnoException {
    try (var arena = Arena.ofConfined()) {
      var bytes = name(text);
      var buffer = arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
      guest.files().write(handle, 0, buffer, false);
    }
  }

  private void make(long parent, String name, String text) throws ErrnoException {
    int flags = Linux.O_CREAT | Linux.O_WRONLY | Linux.O_TRUNC;
    var made = guest.files().create(parent, name(name), 0644, 0, flags, false, ROOT);
    write(made.handle(), text);
    guest.files().release(made.handle());
  }

  private static void assertErrno(int errno, Executable call) {
    assertEquals(errno, assertThrows(ErrnoException.class, call).errno());
  }

  private static SharedFolder readOnly(Path path) {
    return new SharedFolder(path, true, new OwnerPolicy.Host(), true, "");
  }

  private static SharedFolder writable(Path path) {
    return new SharedFolder(path, false, new OwnerPolicy.Host(), true, "");
  }

  private SharedFolder set(Path path, boolean readOnly, boolean enabled) throws Exception {
    var next = new SharedFolder(path, readOnly, new OwnerPolicy.Host(), enabled, "");
    store.update(path, _ -> next);
    return next;
  }

  private EffectiveShare line(Path path) {
    return store.snapshot().shares().stream()
        .filter(s -> s.folder().path().equals(path))
        .findFirst()
        .orElseThrow();
  }

  private List<Path> shared() {
    return shares.all().stream().map(Export::spec).map(s -> s.path()).toList();
  }

  @Test
  void stateFolderCannotBeMovedAwayWithWhatItLiesIn() throws Exception {
    long local = walk(root, ".local");
    assertErrno(Errno.EACCES, () -> walk(local, "state", "hostshare"));
    assertErrno(
        Errno.EBUSY, () -> guest.names().rename(local, name("state"), local, name("old"), 0, ROOT));
    assertErrno(
        Errno.EBUSY, () -> guest.names().rename(root, name(".local"), root, name("old"), 0, ROOT));
    // what lies beside it can
    guest.names().rename(root, name("data"), root, name("old"), 0, ROOT);
  }

  @Test
  void listIsNotReadFromWhereGuestsCanWriteIt() throws Exception {
    var kept = Files.createDirectory(home.resolve("dotfiles")).resolve("settings.json");
    Files.move(state.resolve("settings.json"), kept);
    Files.createSymbolicLink(state.resolve("settings.json"), kept);
    make(
        walk(root, "dotfiles"),
        "settings.json",
        "{\"version\":1,\"shares\":[{\"path\":\"%s\"},{\"path\":\"%s\"}]}".formatted(home, other));
    store.refresh();
    assertEquals(List.of(home), shared());
    assertTrue(store.snapshot().problem().contains("dotfiles"), store.snapshot()::problem);
    assertEquals(
        Reason.BROKEN_FILE,
        assertThrows(SettingsException.class, () -> store.add(readOnly(data))).reason());
    assertFalse(Files.readString(kept).contains("data"));
    // when it is read-only there
    Files.writeString(
        kept, "{\"version\":1,\"shares\":[{\"path\":\"%s\",\"access\":\"ro\"}]}".formatted(home));
    store.refresh();
    assertEquals("", store.snapshot().problem());
  }

  @Test
  void linkThatAGuestMakesInAShareIsNotFollowedOutOfIt() throws Exception {
    store.add(readOnly(data));
    Files.delete(data.resolve("f"));
    Files.delete(data); // removed on the host, and still listed
    store.refresh();
    guest.names().symlink(root, name("data"), name(other.toString()), ROOT);
    store.refresh();
    assertEquals(List.of(home), shared());
    assertEquals(State.UNAVAILABLE, line(data).state());
    assertTrue(line(data).reason().contains("share " + other), line(data)::reason);
    // by the user's own wish it is
    store.add(readOnly(other));
    assertEquals("secret", Files.readString(data.resolve("secret")));
    assertEquals(List.of(home, other), shared());
  }

  @Test
  void linksOutsideOfSharesAndInReadOnlyOnesAreFollowed() throws Exception {
    var outside = Files.createSymbolicLink(temp.resolve("link"), other);
    store.add(readOnly(outside));
    assertEquals(List.of(home, outside), shared());
    store.remove(outside);
    set(home, true, true);
    var inside = Files.createSymbolicLink(home.resolve("link"), other);
    store.add(readOnly(inside));
    assertEquals(List.of(home, inside), shared());
    set(home, false, true);
    assertEquals(State.UNAVAILABLE, line(inside).state());
    assertEquals(List.of(home), shared());
  }

  @Test
  void shareStaysWhileItsFolderCannotBeLookedAt() throws Exception {
    openErrno = Errno.EMFILE;
    store.refresh();
    assertEquals(List.of(home), shared());
    set(home, true, true); // what is wished counts all the same
    openErrno = 0;
    store.refresh();
    assertErrno(Errno.EROFS, () -> make(walk(root, "data"), "new", "x"));
    set(home, false, true);
    make(walk(root, "data"), "new", "x");
    openErrno = Errno.ENOENT;
    store.refresh();
    assertEquals(List.of(), shared());
    assertErrno(Errno.EACCES, () -> walk(root, "data"));
  }

  @Test
  void guestThatUsesUpTheDescriptorsIsBoundAsBefore() throws Exception {
    store.add(writable(data));
    long folder = walk(root, "data");
    long handle = open(walk(folder, "f"), Linux.O_WRONLY);
    openErrno = Errno.EMFILE;
    set(data, true, false);
    assertErrno(Errno.EBADF, () -> write(handle, "lost"));
    assertErrno(Errno.EACCES, () -> walk(root, "data"));
    assertErrno(
        Errno.EBUSY, () -> guest.names().rename(root, name(".local"), root, name("old"), 0, ROOT));
    store.remove(home);
    assertEquals(List.of(), shared());
    assertErrno(Errno.EACCES, () -> walk(root, ".local"));
  }

  @Test
  void shareWithOwnersOfItsOwnIsCheckedInOneThatAsksTheCaller() throws Exception {
    Files.setPosixFilePermissions(data.resolve("f"), PosixFilePermissions.fromString("rw-------"));
    store.update(home, s -> new SharedFolder(s.path(), false, new OwnerPolicy.Caller(), true, ""));
    store.add(new SharedFolder(data, false, new OwnerPolicy.Fixed(999, 999), true, ""));
    root = mount(home);
    long f = walk(root, "data", "f");
    assertEquals(999, guest.inodes().get(f, 0, BOB).uid());
    assertErrno(Errno.EACCES, () -> guest.files().open(f, Linux.O_RDWR, false, BOB));
    var change = new AttributeChange(04755, 0, 0, null, null, null, false);
    assertErrno(Errno.EPERM, () -> guest.inodes().set(f, 0, change, BOB));
    // whoever makes a file there owns it
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxrwxrwx"));
    int flags = Linux.O_CREAT | Linux.O_WRONLY;
    var made = guest.files().create(walk(root, "data"), name("new"), 0644, 0, flags, false, BOB);
    assertEquals(1002, made.attributes().uid());
  }

  @Test
  void disabledShareIsHiddenInTheOneAroundIt() throws Exception {
    store.add(readOnly(data));
    long before = walk(root, "data");
    long handle = open(walk(before, "f"), Linux.O_RDONLY);
    set(data, true, false);
    assertErrno(Errno.EACCES, () -> walk(root, "data"));
    assertErrno(Errno.EACCES, () -> walk(before, "f"));
    assertErrno(Errno.EBADF, () -> guest.files().read(handle, 0, MemorySegment.NULL));
    assertErrno(
        Errno.EBUSY, () -> guest.names().rename(root, name("data"), root, name("old"), 0, ROOT));
    set(data, true, true);
    assertErrno(Errno.EROFS, () -> make(walk(root, "data"), "new", "x"));
    store.remove(data);
    make(walk(root, "data"), "new", "x");
  }

  @Test
  void folderThatIsMovedIntoAnotherShareKeepsItsAccess() throws Exception {
    Path one = Files.createDirectories(temp.resolve("one/y"));
    var link = Files.createSymbolicLink(temp.resolve("link"), one);
    store.add(readOnly(link));
    store.add(writable(other));
    Files.move(one, other.resolve("y"));
    Files.delete(link);
    Files.createSymbolicLink(link, other.resolve("y"));
    store.refresh();
    assertErrno(Errno.EROFS, () -> make(walk(mount(other), "y"), "new", "x"));
  }

  @Test
  void folderThatIsListedTwiceIsReadOnlyInTheOneAroundItIfOneLineSaysSo() throws Exception {
    store.add(readOnly(data));
    var link = Files.createSymbolicLink(temp.resolve("link"), data);
    store.add(writable(link));
    assertErrno(Errno.EROFS, () -> make(walk(root, "data"), "new", "x"));
  }

  @Test
  void openFileWithoutANameBecomesReadOnlyWithItsShare() throws Exception {
    Files.createLink(data.resolve("second"), data.resolve("f"));
    store.add(writable(data));
    long folder = walk(root, "data");
    long handle = open(walk(folder, "f"), Linux.O_RDWR);
    guest.names().unlink(folder, name("f"), ROOT);
    write(handle, "more");
    set(data, true, true);
    assertErrno(Errno.EROFS, () -> write(handle, "lost"));
    assertEquals("more", Files.readString(data.resolve("second")));
  }

  @Test
  void linkOnTheWayToTheStateIsNotShared() throws Exception {
    Path real = Files.createDirectories(temp.resolve("elsewhere/hostshare"));
    Path link = Files.createSymbolicLink(home.resolve("state"), real.getParent());
    var config =
        new SettingsStore.Config(link.resolve("hostshare"), temp.resolve("none"), home, null);
    var another = new SettingsStore(config);
    var refused = another.snapshot().shares().getFirst();
    assertEquals(State.UNAVAILABLE, refused.state());
    assertTrue(refused.reason().contains("--state " + real), refused::reason);
  }
}
