package dev.hostshare.fileserver.settings;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.fileserver.export.ListedShare;
import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.export.ShareSpec;
import dev.hostshare.fileserver.settings.EffectiveShare.State;
import dev.hostshare.fileserver.settings.SettingsException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The list and its files.
 *
 * <pre>
 * temp/state/settings.json
 * temp/etc/admin-settings.json
 * temp/home/work
 * temp/other
 * </pre>
 */
@Timeout(30)
final class SettingsStoreTest {
  @TempDir private Path temp;
  private Path home;
  private Path work;
  private Path other;
  private Path file;
  private Path adminFile;

  @BeforeEach
  void makeFolders() throws IOException {
    temp = temp.toRealPath();
    home = Files.createDirectory(temp.resolve("home"));
    work = Files.createDirectory(home.resolve("work"));
    other = Files.createDirectory(temp.resolve("other"));
    file = Files.createDirectory(temp.resolve("state")).resolve("settings.json");
    adminFile = Files.createDirectory(temp.resolve("etc")).resolve("admin-settings.json");
  }

  private SettingsStore open() throws SettingsException {
    return open(null);
  }

  private SettingsStore open(List<ShareSpec> fixed) throws SettingsException {
    return new SettingsStore(new SettingsStore.Config(file.getParent(), adminFile, home, fixed));
  }

  private static SharedFolder share(Path path) {
    return new SharedFolder(path, false, new OwnerPolicy.Host(), true, "");
  }

  private static List<Path> paths(Snapshot snapshot) {
    return snapshot.shares().stream().map(s -> s.folder().path()).toList();
  }

  private static EffectiveShare only(Snapshot snapshot) {
    assertEquals(1, snapshot.shares().size(), snapshot::toString);
    return snapshot.shares().getFirst();
  }

  private interface Change {
    void run() throws SettingsException;
  }

  private static String refused(Reason reason, Change change) {
    var refusal = assertThrows(SettingsException.class, change::run);
    assertEquals(reason, refusal.reason(), refusal::getMessage);
    return refusal.getMessage();
  }

  /** An editor's save: the old file, or the new one. */
  private static void save(Path file, String text) throws IOException {
    Path fresh = Files.writeString(file.resolveSibling("new"), text);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  // ---- the list ----

  @Test
  void firstStartSharesTheHomeAndAnEmptyListStaysEmpty() throws Exception {
    var store = open();
    assertEquals(List.of(home), paths(store.snapshot()));
    store.remove(home);
    assertEquals(List.of(), paths(store.snapshot()));
    assertEquals(List.of(), paths(open().snapshot()));
  }

  @Test
  void parentAndChildAreBothListed() throws Exception {
    var store = open();
    store.add(new SharedFolder(work, true, new OwnerPolicy.Fixed(7, 8), true, "mine"));
    assertEquals(List.of(home, work), paths(open().snapshot()));
    var kept = open().snapshot().shares().get(1).folder();
    assertEquals(new SharedFolder(work, true, new OwnerPolicy.Fixed(7, 8), true, "mine"), kept);
  }

  @Test
  void sameFolderIsNotListedTwiceWhateverItsCase() throws Exception {
    var store = open();
    store.add(share(other));
    assertTrue(
        refused(Reason.ALREADY_LISTED, () -> store.add(share(other))).contains(other.toString()));
    // given a second name of it that differs in case only, as each has where there is no case
    var shouted = Files.createSymbolicLink(temp.resolve("OTHER"), other);
    var said = refused(Reason.ALREADY_LISTED, () -> store.add(share(shouted)));
    assertTrue(said.contains("as " + other), said);
    store.remove(shouted);
    assertEquals(List.of(home), paths(store.snapshot()));
  }

  @Test
  void linkIsListedAsItIsAndLeadsNowhereForbidden() throws Exception {
    var store = open();
    var link = Files.createSymbolicLink(temp.resolve("link"), other);
    store.add(share(link));
    assertEquals(List.of(home, link), paths(store.snapshot()));
    var proc = Files.createSymbolicLink(temp.resolve("p"), Path.of("/proc/self"));
    refused(Reason.INVALID, () -> store.add(share(proc)));
    var root = Files.createSymbolicLink(temp.resolve("r"), Path.of("/"));
    refused(Reason.INVALID, () -> store.add(share(root)));
    var state = Files.createSymbolicLink(temp.resolve("s"), file.getParent());
    refused(Reason.INVALID, () -> store.add(share(state)));
    var dangling = Files.createSymbolicLink(temp.resolve("d"), temp.resolve("none"));
    assertTrue(
        refused(Reason.UNAVAILABLE, () -> store.add(share(dangling))).contains("leads nowhere"));
  }

  @Test
  void folderThatIsNotThereStaysOnTheListUntilItIs() throws Exception {
    var store = open();
    store.remove(home);
    store.add(share(other));
    Files.delete(other);
    store.refresh();
    assertEquals(State.UNAVAILABLE, only(store.snapshot()).state());
    Files.createDirectory(other);
    store.refresh();
    assertEquals(State.SHARED, only(store.snapshot()).state());
  }

  @Test
  void disabledShareIsKeptAndNotInForce() throws Exception {
    var store = open();
    List<ListedShare> inForce = new ArrayList<>();
    store.enforce(
        shares -> {
          inForce.addAll(shares);
          return Map.of();
        });
    store.update(home, s -> new SharedFolder(s.path(), s.readOnly(), s.owner(), false, s.note()));
    assertEquals(State.DISABLED, only(store.snapshot()).state());
    assertEquals(List.of(true, false), inForce.stream().map(ListedShare::open).toList());
  }

  @Test
  void whatCannotBeSharedAfterAllSaysWhy() throws Exception {
    var store = open();
    store.enforce(shares -> Map.of(home, "it is haunted"));
    assertEquals("it is haunted", only(store.snapshot()).reason());
    assertEquals(State.UNAVAILABLE, only(store.snapshot()).state());
  }

  // ---- the file ----

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"version": 1, "shares": [}                            | line 1, column 27
          {"version": 1}                                         | "shares" has to be a list
          {"shares": []}                                         | "version" has to be
          {"version": 2, "shares": []}                           | version 2 is not known
          {"version": 1, "shares": [{"path": "home"}]}           | line 1, column 36: 'home' is not an absolute
          {"version": 1, "shares": [{"path": 7}]}                | line 1, column 36: "path" has to be a text
          {"version": 1, "shares": [{}]}                         | "path" has to be a text
          {"version": 1, "shares": [{"path": "/a", "access": "w"}]} | line 1, column 52: access 'w'
          {"version": 1, "shares": [{"path": "/a", "owner": "me"}]} | owner 'me' is none of
          {"version": 1, "shares": [{"path": "/a", "enabled": 1}]} | "enabled" has to be true or false
          {"version": 1, "shares": [{"path": "/a"}, {"path": "/b/../a"}]} | /a is on the list twice
          {"version": 1, "version": 1, "shares": []}             | Duplicate field 'version'
          {"version": 1, "shares": []} x                         | line 1
          []                                                     | an object
          """)
  void brokenFileIsReportedAndTheLastGoodListStays(String text, String report) throws Exception {
    var store = open();
    save(file, text);
    store.refresh();
    assertTrue(store.snapshot().problem().contains(report), store.snapshot()::problem);
    assertTrue(store.snapshot().problem().startsWith(file.toString()), store.snapshot()::problem);
    assertEquals(List.of(home), paths(store.snapshot()));
    refused(Reason.BROKEN_FILE, () -> store.add(share(other)));
    assertEquals(text, Files.readString(file));

    save(file, "{\"version\": 1, \"shares\": []}");
    store.refresh();
    assertEquals("", store.snapshot().problem());
    assertEquals(List.of(), paths(store.snapshot()));
  }

  @Test
  void fileThatIsGoneIsWrittenAgain() throws Exception {
    var store = open();
    Files.delete(file);
    store.refresh();
    assertTrue(store.snapshot().problem().contains("is gone"), store.snapshot()::problem);
    assertEquals(List.of(home), paths(store.snapshot()));
    store.add(share(other));
    assertEquals("", store.snapshot().problem());
    assertEquals(List.of(home, other), paths(open().snapshot()));
  }

  @Test
  void linkInTheFilesPlaceIsKept() throws Exception {
    var dotfiles = Files.writeString(temp.resolve("mine.json"), "{\"version\":1,\"shares\":[]}");
    Files.createSymbolicLink(file, dotfiles);
    open().add(share(other));
    assertTrue(Files.isSymbolicLink(file));
    assertTrue(Files.readString(dotfiles).contains(other.toString()));
  }

  @Test
  void editThatWasNotSeenYetIsNotLost() throws Exception {
    var store = open();
    save(file, "{\"version\": 1, \"shares\": [{\"path\": \"%s\"}]}".formatted(work));
    store.add(share(other));
    assertEquals(List.of(work, other), paths(store.snapshot()));
  }

  @Test
  void editIsSeenAtOnce() throws Exception {
    var store = open();
    BlockingQueue<Snapshot> seen = new LinkedBlockingQueue<>();
    try (var _ = new SettingsWatch(store);
        var _ = store.watch(seen::add)) {
      assertEquals(List.of(home), paths(seen.take()));
      save(file, "{\"version\": 1, \"shares\": []}");
      assertEquals(List.of(), paths(seen.poll(1, TimeUnit.SECONDS)));
      // in place, as some editors do
      Files.writeString(file, "{\"version\": 1, \"shares\": [{\"path\": \"%s\"}]}".formatted(work));
      var next = seen.poll(1, TimeUnit.SECONDS);
      while (!next.problem().isEmpty()) {
        next = seen.poll(1, TimeUnit.SECONDS); // looked at between truncate and write
      }
      assertEquals(List.of(work), paths(next));
      save(adminFile, "{\"access\": {\"locked\": true, \"value\": \"ro\"}}");
      assertTrue(only(seen.poll(1, TimeUnit.SECONDS)).folder().readOnly());
    }
  }

  @Test
  void fuzzedFileIsReadOrRefusedAndNeverChanged() throws Exception {
    var valid =
        "{\"version\": 1, \"x\": [1.5e3, null], \"shares\": [{\"path\": \"%s\", \"access\": \"ro\","
                .formatted(other)
            + " \"owner\": \"1:2\", \"enabled\": true, \"note\": \"\\u00e4\"}]}";
    var store = open();
    var random = new Random(20251);
    int good = 0;
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = mutate(valid.getBytes(StandardCharsets.UTF_8), random);
      Files.write(file, bytes);
      store.refresh();
      if (store.snapshot().problem().isEmpty()) {
        good++;
      } else {
        refused(Reason.BROKEN_FILE, () -> store.add(share(work)));
      }
      assertArrayEquals(bytes, Files.readAllBytes(file));
    }
    assertTrue(good > 0 && good < 3000, "good: " + good);
  }

  private static byte[] mutate(byte[] valid, Random random) {
    byte[] bytes = valid.clone();
    for (int n = random.nextInt(4); n >= 0; n--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(3)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] = (byte) "{}[]\",:\\0".charAt(random.nextInt(9));
        default -> bytes = java.util.Arrays.copyOf(bytes, at + 1);
      }
    }
    return bytes;
  }

  @Test
  void deeplyNestedAndHugeFilesAreRefused() throws Exception {
    var store = open();
    save(file, "{\"version\": 1, \"shares\": [], \"x\": " + "[".repeat(100_000));
    store.refresh();
    assertTrue(store.snapshot().problem().contains("line 1"), store.snapshot()::problem);
    save(file, " ".repeat(SettingsFile.MAX_BYTES + 1));
    store.refresh();
    assertTrue(store.snapshot().problem().contains("more than"), store.snapshot()::problem);
  }

  // ---- the administrator's file ----

  @Test
  void onlyAllowedFoldersAreShared() throws Exception {
    save(
        adminFile,
        "{\"configurationFileVersion\": 2, \"kubernetes\": {\"locked\": true},"
            + " \"filesharingAllowedDirectories\":"
            + " [{\"path\": \"$HOME\", \"sharedByDefault\": true}, {\"path\": \"/opt\"}]}");
    var store = open();
    assertEquals(List.of(home), paths(store.snapshot()));
    store.add(share(work));
    var said = refused(Reason.NOT_ALLOWED, () -> store.add(share(other)));
    assertTrue(said.contains(home + ", /opt") && said.contains(adminFile.toString()), said);
    // neither by a link
    var link = Files.createSymbolicLink(home.resolve("out"), other);
    refused(Reason.NOT_ALLOWED, () -> store.add(share(link)));
    // nor by hand
    save(file, "{\"version\": 1, \"shares\": [{\"path\": \"%s\"}]}".formatted(other));
    store.refresh();
    assertEquals(State.DENIED, only(store.snapshot()).state());
    // nor by the command line
    refused(
        Reason.UNAVAILABLE,
        () -> open(List.of(new ShareSpec(other, false, new OwnerPolicy.Host()))));
  }

  @Test
  void lockedValuesWinOverTheUsers() throws Exception {
    var store = open();
    save(
        adminFile,
        "{\"access\": {\"locked\": true, \"value\": \"ro\"}, \"owner\": {\"value\": \"5:6\"}}");
    store.refresh();
    assertTrue(only(store.snapshot()).folder().readOnly());
    assertTrue(only(store.snapshot()).accessLocked());
    assertEquals(new OwnerPolicy.Host(), only(store.snapshot()).folder().owner());
    var said = refused(Reason.NOT_ALLOWED, () -> store.add(share(other)));
    assertTrue(said.contains("access is ro") && said.contains("locked"), said);
    // what is not locked is what a share begins with, and can be changed
    store.add(store.initial(other));
    store.update(
        other, s -> new SharedFolder(s.path(), s.readOnly(), new OwnerPolicy.Host(), true, "n"));
    // with the file gone the user's own is in force again
    Files.delete(adminFile);
    store.refresh();
    assertEquals(false, store.snapshot().shares().getFirst().folder().readOnly());
  }

  @Test
  void lockedListCannotBeChanged() throws Exception {
    save(
        adminFile,
        "{\"shares\": {\"locked\": true, \"value\": [{\"path\": \"%s\", \"access\": \"ro\"}]}}"
            .formatted(other));
    var store = open();
    assertEquals(List.of(other), paths(store.snapshot()));
    for (Change change :
        List.<Change>of(
            () -> store.add(share(work)),
            () -> store.remove(other),
            () -> store.importDocker("{\"filesharingDirectories\": []}"))) {
      assertTrue(refused(Reason.NOT_ALLOWED, change).contains(adminFile.toString()));
    }
  }

  @Test
  void brokenAdministratorsFileKeepsTheLastGoodOneOrSharesNothing() throws Exception {
    var store = open();
    save(adminFile, "{\"access\": {\"locked\": true, \"value\": \"ro\"}}");
    store.refresh();
    save(adminFile, "{\"access\":\n {\"locked\": \"yes\"}}");
    store.refresh();
    assertTrue(
        store.snapshot().adminProblem().contains("line 2, column 13"),
        store.snapshot()::adminProblem);
    assertTrue(only(store.snapshot()).folder().readOnly());
    refused(Reason.BROKEN_FILE, () -> store.remove(home));
    // who has never read a good one does not know what is allowed
    assertEquals(State.DENIED, only(open().snapshot()).state());
  }

  // ---- import ----

  @Test
  void bothOfDockersFilesAreImported() throws Exception {
    var store = open();
    var imported =
        store.importDocker(
            "{\"filesharingDirectories\": [\"%s\", \"%s/./\", \"x\", \"%s\"]}"
                .formatted(other, other, home));
    assertEquals(List.of(other), imported.added());
    assertEquals(3, imported.skipped().size(), imported.skipped()::toString);
    imported = store.importDocker("{\"FilesharingDirectories\": [\"%s\"]}".formatted(work));
    assertEquals(List.of(work), imported.added());
    refused(Reason.INVALID, () -> store.importDocker("{\"cpus\": 2}"));
    refused(Reason.BROKEN_FILE, () -> store.importDocker("{\"filesharingDirectories\": 2}"));
    refused(Reason.BROKEN_FILE, () -> store.importDocker(""));
  }

  // ---- the browser ----

  @Test
  void browserShowsWhatMayBeSharedAndNothingElse() throws Exception {
    save(adminFile, "{\"filesharingAllowedDirectories\": [{\"path\": \"$HOME\"}]}");
    Files.writeString(home.resolve("file"), "");
    Files.createSymbolicLink(home.resolve("out"), other);
    var config = new SettingsStore.Config(file.getParent(), adminFile, home, null);
    var browser = new FolderBrowser(config, new SettingsStore(config));

    assertEquals(List.of(home), browser.roots().folders());
    var folder = browser.list(home);
    assertEquals(List.of(work), folder.folders());
    assertEquals(null, folder.parent());
    refused(Reason.NOT_ALLOWED, () -> browser.list(temp));
    refused(Reason.NOT_ALLOWED, () -> browser.list(home.resolve("out")));
    refused(Reason.UNAVAILABLE, () -> browser.list(home.resolve("file")));
    refused(Reason.UNAVAILABLE, () -> browser.list(home.resolve("none")));
  }
}
