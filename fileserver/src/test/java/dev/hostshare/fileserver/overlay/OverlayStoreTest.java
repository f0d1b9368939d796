package dev.hostshare.fileserver.overlay;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OverlayStoreTest {
  private static final FileId DIR = new FileId(1, 2, 100);
  private static final FileId FILE = new FileId(1, 20, 200);
  private static final FileId REPLACEMENT = new FileId(1, 21, 300);
  private static final byte[] NAME = bytes("a.txt");
  private static final Place PLACE = new Place(DIR, NAME, "/share/a.txt");
  private static final byte[] USER_X = bytes("user.x");

  @TempDir private Path folder;
  private OverlayStore store;

  @BeforeEach
  void open() throws IOException {
    store = OverlayStore.open(folder);
  }

  @AfterEach
  void close() throws IOException {
    store.close();
  }

  private void reopen() throws IOException {
    store.close();
    store = OverlayStore.open(folder);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static RecordChange owner(int uid) {
    return new RecordChange().uid(uid).gid(uid + 1);
  }

  @Test
  void aRecordComesBackAfterReopening() throws Exception {
    store.change(FILE, PLACE, owner(999).mode(04711).special(Linux.S_IFCHR, Linux.makedev(1, 3)));
    store.change(FILE, PLACE, new RecordChange().setXattr(USER_X, new byte[0], 0));
    reopen();
    OverlayRecord r = store.get(FILE);
    assertEquals(999, r.uid());
    assertEquals(1000, r.gid());
    assertEquals(04711, r.mode());
    assertEquals(Linux.S_IFCHR, r.type());
    assertEquals(Linux.makedev(1, 3), r.rdev());
    assertEquals("/share/a.txt", r.path());
    assertArrayEquals(new byte[0], store.xattr(FILE, USER_X));
    assertEquals(1, store.size());
  }

  @Test
  void largestIdsArePreservedAndAbsentOnesStayAbsent() throws Exception {
    store.change(FILE, PLACE, new RecordChange().uid(0xffff_fffe));
    reopen();
    assertEquals(0xffff_fffe, store.get(FILE).uid());
    assertTrue(!store.get(FILE).hasGid());
    assertTrue(!store.get(FILE).hasMode());
  }

  @Test
  void anotherFileWithTheSameInodeNumberInheritsNothing() throws Exception {
    store.change(FILE, PLACE, owner(999));
    assertNull(store.get(new FileId(FILE.volume(), FILE.inode(), FILE.birth() + 1)));
    assertNull(store.get(new FileId(FILE.volume() + 1, FILE.inode(), FILE.birth())));
  }

  @Test
  void aFileThatReplacedAnotherInheritsItsRecordOnce() throws Exception {
    store.change(FILE, PLACE, owner(999).setXattr(USER_X, bytes("v"), 0));
    OverlayRecord inherited = store.inherit(REPLACEMENT, PLACE);
    assertEquals(999, inherited.uid());
    assertArrayEquals(bytes("v"), store.xattr(REPLACEMENT, USER_X));
    assertNotNull(store.get(FILE), "the old file may live on under another name");
    assertNull(store.get(FILE).name());
    reopen();
    assertEquals(999, store.get(REPLACEMENT).uid());
    assertNull(store.inherit(new FileId(1, 22, 400), new Place(DIR, bytes("b"), "/share/b")));
  }

  @Test
  void nobodyInheritsFromANameThatWasRemovedOrFromASpecialFile() throws Exception {
    store.change(FILE, PLACE, owner(999));
    store.nameGone(DIR, NAME);
    assertNull(store.inherit(REPLACEMENT, PLACE));
    store.change(FILE, PLACE, new RecordChange().special(Linux.S_IFIFO, 0));
    assertNull(store.inherit(REPLACEMENT, PLACE));
  }

  @Test
  void aMoveIsFollowedByTheName() throws Exception {
    store.change(FILE, PLACE, owner(999));
    Place there = new Place(DIR, bytes("there"), "/share/there");
    store.moved(FILE, there);
    assertNull(store.inherit(REPLACEMENT, PLACE), "the old name is free");
    reopen();
    assertEquals(999, store.inherit(REPLACEMENT, there).uid());
  }

  @Test
  void xattrFlagsAreSetxattrs() throws Exception {
    RecordChange replace = new RecordChange().setXattr(USER_X, bytes("1"), Linux.XATTR_REPLACE);
    assertErrno(Errno.ENODATA, () -> store.change(FILE, PLACE, replace));
    assertNull(store.get(FILE), "a change that failed has changed nothing");
    store.change(FILE, PLACE, new RecordChange().setXattr(USER_X, bytes("1"), Linux.XATTR_CREATE));
    RecordChange create = new RecordChange().setXattr(USER_X, bytes("2"), Linux.XATTR_CREATE);
    assertErrno(Errno.EEXIST, () -> store.change(FILE, PLACE, create));
    assertArrayEquals(bytes("1"), store.xattr(FILE, USER_X));
    store.change(FILE, PLACE, new RecordChange().dropXattr(USER_X));
    assertNull(store.get(FILE), "nothing is left to remember");
  }

  /** Else a guest could fill the server's memory with one file. */
  @Test
  void xattrsOfAFileAreNotMoreThanCanBeListedAndRead() throws Exception {
    byte[] large = new byte[Linux.XATTR_SIZE_MAX];
    for (int i = 0; i < 16; i++) {
      store.change(FILE, PLACE, new RecordChange().setXattr(bytes("user." + i), large, 0));
    }
    RecordChange more = new RecordChange().setXattr(bytes("user.more"), bytes("x"), 0);
    assertErrno(Errno.ENOSPC, () -> store.change(FILE, PLACE, more));
    assertNull(store.xattr(FILE, bytes("user.more")));
    assertEquals(16, store.xattrNames(FILE).size());
    store.change(FILE, PLACE, new RecordChange().dropXattr(bytes("user.3")));
    store.change(FILE, PLACE, more);

    Place other = new Place(DIR, bytes("b.txt"), "/share/b.txt");
    for (int i = 0; i < 262; i++) {
      String name = "user.%03d.%s".formatted(i, "x".repeat(240));
      store.change(REPLACEMENT, other, new RecordChange().setXattr(bytes(name), bytes(""), 0));
    }
    RecordChange last =
        new RecordChange().setXattr(bytes("user.last." + "x".repeat(245)), large, 0);
    assertErrno(Errno.ENOSPC, () -> store.change(REPLACEMENT, other, last));
  }

  @Test
  void aPathThatIsTooLongToKeepIsNone() throws Exception {
    String folder = "/share/" + "d".repeat(1100);
    store.change(FILE, new Place(PLACE.parent(), bytes("f"), folder + "/f"), owner(7));
    reopen();
    assertNull(store.get(FILE).path());
    assertEquals(7, store.get(FILE).uid());
  }

  @Test
  void changesOfManyThreadsAreAllKept() throws Exception {
    int threads = 8;
    int each = 500;
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> done = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int base = t * each;
        done.add(
            pool.submit(
                () -> {
                  for (int i = 0; i < each; i++) {
                    FileId id = new FileId(1, 1000 + base + i, 1);
                    store.change(id, null, owner(base + i));
                    assertEquals(base + i, store.get(id).uid());
                  }
                  return null;
                }));
      }
      for (Future<?> d : done) {
        d.get();
      }
    }
    reopen();
    assertEquals(threads * each, store.size());
    assertEquals(1234, store.get(new FileId(1, 1000 + 1234, 1)).uid());
  }

  /**
   * Promised: 10,000 changes a second, over 100,000 files. The best of ten parts, for a busy
   * machine.
   */
  @Test
  void chownOfManyFilesKeepsTheRate() throws Exception {
    int parts = 10;
    int each = 10_000;
    Duration best = Duration.ofDays(1);
    for (int part = 0; part < parts; part++) {
      long start = System.nanoTime();
      for (int i = part * each; i < (part + 1) * each; i++) {
        byte[] name = bytes("f" + i);
        store.change(
            new FileId(1, 5000L + i, i), new Place(DIR, name, "/share/dir/f" + i), owner(i));
      }
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      best = took.compareTo(best) < 0 ? took : best;
    }
    assertEquals(parts * each, store.size());
    assertTrue(best.toMillis() < 1000, each + " changes took " + best);
    System.out.println(each + " record changes in " + best.toMillis() + " ms");
  }

  @Test
  void aMissingDatabaseIsNotReplacedByAnEmptyOne() throws Exception {
    store.change(FILE, PLACE, owner(999));
    store.close();
    Files.delete(folder.resolve("overlay.db"));
    OverlayException e = assertThrows(OverlayException.class, () -> OverlayStore.open(folder));
    assertTrue(e.getMessage().contains("overlay.db is missing"), e.getMessage());
    assertTrue(e.getMessage().contains("overlay.id"), e.getMessage());
    Files.delete(folder.resolve("overlay.id"));
    store = OverlayStore.open(folder);
    assertEquals(0, store.size());
  }

  @Test
  void aDamagedDatabaseIsRefusedWithAWayOut() throws Exception {
    for (int i = 0; i < 5000; i++) {
      store.change(new FileId(1, i, 1), new Place(DIR, bytes("f" + i), "/f" + i), owner(i));
    }
    store.close();
    Path file = folder.resolve("overlay.db");
    byte[] content = Files.readAllBytes(file);
    for (int i = 4096 * 8; i < content.length; i++) {
      content[i] ^= 0x55;
    }
    Files.write(file, content, StandardOpenOption.TRUNCATE_EXISTING);
    OverlayException e = assertThrows(OverlayException.class, () -> OverlayStore.open(folder));
    assertTrue(e.getMessage().contains("backup"), e.getMessage());
    assertArrayEquals(content, Files.readAllBytes(file), "nothing was changed");
    Files.delete(file);
    Files.delete(folder.resolve("overlay.id"));
    store = OverlayStore.open(folder);
  }

  @Test
  void aForeignDatabaseIsRefused() throws Exception {
    store.close();
    Files.writeString(folder.resolve("overlay.db"), "");
    OverlayException e = assertThrows(OverlayException.class, () -> OverlayStore.open(folder));
    assertTrue(e.getMessage().contains("is not an overlay store"), e.getMessage());
    Files.delete(folder.resolve("overlay.db"));
    Files.delete(folder.resolve("overlay.id"));
    store = OverlayStore.open(folder);
  }

  @Test
  void recordsAreListedByPathWhileTheyChange() throws Exception {
    int records = 1200;
    for (int i = 0; i < records; i++) {
      String name = "f%05d".formatted(records - i);
      store.change(new FileId(1, i, 1), new Place(DIR, bytes(name), "/" + name), owner(i));
    }
    List<String> seen = new ArrayList<>();
    try (OverlayListing listing = store.list()) {
      OverlayListing.Visitor visitor =
          (id, r) -> {
            seen.add(r.path());
            store.change(FILE, PLACE, owner(seen.size())); // nobody has the lock
            return seen.size() % 700 != 0;
          };
      long row = listing.visit(0, Long.MAX_VALUE, visitor);
      assertEquals(700, seen.size());
      store.remove(new FileId(1, 0, 1)); // the last by path
      row = listing.visit(row, Long.MAX_VALUE, visitor);
      assertEquals(records - 1, seen.size());
      assertEquals(row, listing.visit(row, Long.MAX_VALUE, visitor));
      assertEquals("/f00001", seen.getFirst());
      assertEquals("/f01199", seen.getLast());
      assertEquals(seen.stream().sorted().distinct().toList(), seen);
      listing.visit(10, 20, visitor);
      assertEquals("/f00020", seen.getLast());
      assertEquals(records + 9, seen.size());
    }
    assertEquals(records, store.size());
  }

  /** What a server that was killed leaves. */
  private OverlayStore afterKill(Path copy) throws IOException {
    Files.createDirectories(copy);
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file :
          files.filter(f -> f.getFileName().toString().startsWith("overlay.")).toList()) {
        Files.copy(file, copy.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    return OverlayStore.open(copy);
  }

  @Test
  void aKilledServerLosesNothing(@TempDir Path copy) throws Exception {
    store.change(FILE, PLACE, owner(999).setXattr(USER_X, bytes("v"), 0));
    Place there = new Place(DIR, bytes("there"), "/share/there");
    store.moved(FILE, there);
    store.change(REPLACEMENT, PLACE, owner(5));
    FileId gone = new FileId(1, 30, 1);
    store.change(gone, new Place(DIR, bytes("gone"), "/share/gone"), owner(6));
    store.remove(gone);
    for (int again = 0; again < 2; again++) {
      try (OverlayStore killed = afterKill(copy)) {
        assertEquals(999, killed.get(FILE).uid());
        assertArrayEquals(bytes("v"), killed.xattr(FILE, USER_X));
        assertEquals(5, killed.get(REPLACEMENT).uid());
        assertNull(killed.get(gone));
        assertEquals(2, killed.size());
        assertTrue(killed.mayHaveName(DIR, NAME));
        assertEquals(999, killed.inherit(new FileId(1, 31, 1), there).uid());
      }
    }
  }

  @Test
  void aStoreThatWasClosedIsADatabaseAlone() throws Exception {
    store.change(FILE, PLACE, owner(999));
    assertTrue(Files.exists(folder.resolve("overlay.journal")));
    store.close();
    assertTrue(Files.notExists(folder.resolve("overlay.journal")));
    try (var sqlite = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("overlay.db"));
        var statement = sqlite.createStatement();
        var rows = statement.executeQuery("SELECT uid FROM node")) {
      assertTrue(rows.next());
      assertEquals(999, rows.getInt(1));
    }
    store = OverlayStore.open(folder);
  }

  @Test
  void aChangeThatIsCutOffIsDroppedAndTheNextOnesAreKept(@TempDir Path copy) throws Exception {
    store.change(FILE, PLACE, owner(999));
    store.change(FILE, PLACE, owner(998));
    afterKill(copy).close();
    Path journal = copy.resolve("overlay.journal");
    byte[] whole = Files.readAllBytes(folder.resolve("overlay.journal"));
    for (int cut : List.of(1, 20)) {
      OverlayStore killed;
      Files.delete(copy.resolve("overlay.db"));
      Files.copy(folder.resolve("overlay.db"), copy.resolve("overlay.db"));
      Files.write(journal, Arrays.copyOf(whole, whole.length - cut));
      killed = OverlayStore.open(copy);
      assertEquals(999, killed.get(FILE).uid());
      killed.change(REPLACEMENT, null, owner(5));
      killed.close();
      killed = OverlayStore.open(copy);
      assertEquals(999, killed.get(FILE).uid());
      assertEquals(5, killed.get(REPLACEMENT).uid());
      killed.close();
    }
  }

  /** What lies behind a torn change must not come back when another has taken its place. */
  @Test
  void whatFollowsATornChangeStaysGone(@TempDir Path copy) throws Exception {
    store.change(FILE, PLACE, owner(1));
    long first = Files.size(folder.resolve("overlay.journal"));
    store.change(FILE, PLACE, owner(2));
    long second = Files.size(folder.resolve("overlay.journal"));
    store.change(FILE, PLACE, owner(3));
    afterKill(copy).close();
    Files.copy(
        folder.resolve("overlay.db"),
        copy.resolve("overlay.db"),
        StandardCopyOption.REPLACE_EXISTING);
    byte[] torn = Files.readAllBytes(folder.resolve("overlay.journal"));
    assertEquals(second - first, torn.length - second, "all of one length");
    torn[(int) second - 1] ^= 1;
    Files.write(copy.resolve("overlay.journal"), torn);
    try (OverlayStore opened = OverlayStore.open(copy)) {
      assertEquals(1, opened.get(FILE).uid());
      opened.change(FILE, PLACE, owner(4));
      Path again = Files.createDirectory(copy.resolve("again"));
      for (String name : List.of("overlay.db", "overlay.id", "overlay.journal")) {
        Files.copy(copy.resolve(name), again.resolve(name));
      }
      try (OverlayStore killed = OverlayStore.open(again)) {
        assertEquals(4, killed.get(FILE).uid());
      }
    }
  }

  /** The machine stops when the journal is on the disk and SQLite's log is not. */
  @Test
  void extendedAttributesAreInTheJournalToo(@TempDir Path copy) throws Exception {
    store.change(FILE, PLACE, owner(999).setXattr(USER_X, bytes("v"), 0));
    reopen();
    Files.copy(folder.resolve("overlay.db"), copy.resolve("overlay.db"));
    Files.copy(folder.resolve("overlay.id"), copy.resolve("overlay.id"));
    store.inherit(REPLACEMENT, PLACE);
    FileId other = new FileId(1, 40, 1);
    store.change(other, null, owner(5).setXattr(USER_X, bytes("old"), 0));
    store.change(other, null, new RecordChange().setXattr(USER_X, bytes("new"), 0));
    store.remove(FILE);
    Files.copy(folder.resolve("overlay.journal"), copy.resolve("overlay.journal"));
    try (OverlayStore killed = OverlayStore.open(copy)) {
      assertEquals(999, killed.get(REPLACEMENT).uid());
      assertArrayEquals(bytes("v"), killed.xattr(REPLACEMENT, USER_X));
      assertArrayEquals(bytes("new"), killed.xattr(other, USER_X));
      assertNull(killed.get(FILE));
      killed.change(FILE, null, owner(1).setXattr(bytes("user.y"), bytes("1"), 0));
      assertNull(killed.xattr(FILE, USER_X), "the old one's are gone");
    }
  }

  /** An editor's copy in another folder, by a name that is a record's there. */
  @Test
  void whoComesToAPlaceTakesItFromWhoWasThere() throws Exception {
    FileId elsewhere = new FileId(1, 3, 100);
    store.change(FILE, PLACE, owner(1));
    store.change(REPLACEMENT, new Place(elsewhere, NAME, "/share/b/a.txt"), owner(2));
    store.moved(FILE, new Place(elsewhere, NAME, "/share/b/a.txt"));
    assertNull(store.get(REPLACEMENT).name());
    assertEquals(1, store.inherit(new FileId(1, 50, 1), new Place(elsewhere, NAME, "/p")).uid());
  }

  @Test
  void theJournalOfAnotherStoreIsSetAside(@TempDir Path other) throws Exception {
    store.change(FILE, PLACE, owner(999));
    OverlayStore.open(other).close();
    Files.copy(folder.resolve("overlay.journal"), other.resolve("overlay.journal"));
    try (OverlayStore opened = OverlayStore.open(other)) {
      assertNull(opened.get(FILE));
    }
    assertTrue(Files.exists(other.resolve("overlay.journal.other-store")));
    Files.write(other.resolve("overlay.journal"), new byte[100]);
    OverlayException e = assertThrows(OverlayException.class, () -> OverlayStore.open(other));
    assertTrue(e.getMessage().contains("overlay.journal"), e.getMessage());
  }

  /** A long journal is begun anew, and what was in it is in the database. */
  @Test
  void theJournalStaysShort() throws Exception {
    Path journal = folder.resolve("overlay.journal");
    String path = "/share/" + "long-name/".repeat(100);
    long written = 0;
    for (int i = 0; i < 40_000; i++) {
      store.change(new FileId(1, 1000 + i % 5000, 1), new Place(DIR, NAME, path + i), owner(i));
      written += path.length();
    }
    assertTrue(written > 32 << 20);
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!isShort(journal) || Files.exists(folder.resolve("overlay.journal.old"))) {
      assertTrue(System.nanoTime() < deadline, "it is still long");
      LockSupport.parkNanos(1_000_000); // nothing tells of it
    }
    reopen();
    assertEquals(5000, store.size());
    assertEquals(39_999, store.get(new FileId(1, 1000 + 39_999 % 5000, 1)).uid());
  }

  private static boolean isShort(Path journal) throws IOException {
    try {
      return Files.size(journal) <= 8 << 20;
    } catch (NoSuchFileException e) {
      return false; // it is begun anew this very moment
    }
  }

  /** Whatever is in the journal, in memory and in the database: it is one store. */
  @Test
  void aStoreThatIsReopenedAllTheTimeSaysTheSame(@TempDir Path copy) throws Exception {
    Random random = new Random(7);
    OverlayStore other = afterKill(copy);
    for (int i = 0; i < 400; i++) {
      FileId id = new FileId(1, random.nextInt(8), 1);
      byte[] name = bytes("n" + random.nextInt(5));
      Place place = new Place(DIR, name, "/share/" + new String(name, StandardCharsets.UTF_8));
      int kind = random.nextInt(8);
      int value = random.nextInt(1000);
      String before = null;
      for (OverlayStore each : List.of(store, other)) {
        String said = step(each, kind, id, place, value) + state(each);
        assertEquals(before == null ? said : before, said, "step " + i + ", kind " + kind);
        before = said;
      }
      other.close();
      other = i % 2 == 0 ? OverlayStore.open(copy) : afterKill(copy);
    }
    other.close();
  }

  private static Object step(OverlayStore to, int kind, FileId id, Place place, int value)
      throws ErrnoException {
    return switch (kind) {
      case 0, 1 -> text(to.change(id, place, owner(value)));
      case 2 -> text(to.change(id, null, new RecordChange().mode(value)));
      case 3 ->
          text(to.change(id, place, new RecordChange().setXattr(USER_X, bytes("" + value), 0)));
      case 4 -> text(to.change(id, null, new RecordChange().dropXattr(USER_X)));
      case 5 -> {
        to.moved(id, place);
        yield "";
      }
      case 6 -> {
        to.remove(id);
        yield "";
      }
      default -> {
        to.nameGone(place.parent(), place.name());
        yield text(to.inherit(id, place));
      }
    };
  }

  private static String state(OverlayStore of) throws ErrnoException {
    StringBuilder all = new StringBuilder("; " + of.size());
    for (int i = 0; i < 8; i++) {
      FileId id = new FileId(1, i, 1);
      byte[] xattr = of.xattr(id, USER_X);
      all.append("; ").append(text(of.get(id)));
      all.append(xattr == null ? "" : new String(xattr, StandardCharsets.UTF_8));
    }
    return all.toString();
  }

  private static String text(OverlayRecord r) {
    return r == null
        ? "none"
        : "%d:%d %o %s %s"
            .formatted(
                r.uid(),
                r.gid(),
                r.mode(),
                r.hasXattrs(),
                r.name() == null ? "" : new String(r.name(), StandardCharsets.UTF_8));
  }

  private interface Failing {
    void run() throws Exception;
  }

  private static void assertErrno(int errno, Failing call) {
    assertEquals(errno, assertThrows(ErrnoException.class, call::run).errno());
  }
}
