package dev.hostshare.fileserver.settings;

import com.google.common.collect.Iterables;
import dev.hostshare.fileserver.export.ListedShare;
import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.export.ShareSpec;
import dev.hostshare.fileserver.settings.EffectiveShare.State;
import dev.hostshare.fileserver.settings.SettingsException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file-sharing list. A change is on the disk and in force when the call that made it returns; a
 * refused one changes nothing. Thread-safe; one change at a time.
 */
public final class SettingsStore {
  private static final Logger log = LoggerFactory.getLogger(SettingsStore.class);

  /** Puts a list in force. */
  public interface Enforcement {
    /** Shares the open ones and no others; returns why some could not be, by their paths. */
    Map<Path, String> apply(List<ListedShare> list);
  }

  /** Where no server runs: nothing is in force. */
  public static final Enforcement NONE = shares -> Map.of();

  /**
   * Where the settings are.
   *
   * @param state the state folder, which exists
   * @param admin the administrator's file, {@link AdminSettings#FILE} but in tests
   * @param home the user's home folder
   * @param fixed the command line's list, which takes the place of the file's; null if there is
   *     none
   */
  public record Config(Path state, Path admin, Path home, List<ShareSpec> fixed) {
    public Config(Path state, List<ShareSpec> fixed) {
      this(state, AdminSettings.FILE, homeOfUser(), fixed);
    }

    /** The JDK's is "?" for a user who is only a number. */
    private static Path homeOfUser() {
      String known = System.getProperty("user.home");
      String home = known.startsWith("/") ? known : System.getenv("HOME");
      return Path.of(home != null && home.startsWith("/") ? home : "/");
    }
  }

  private static final int MAX_REMOVED = 100;

  private final Config config;
  private final OwnerPolicy defaultOwner = OwnerPolicy.ofThisHost();
  private final FolderCheck check;
  private final SettingsFile file;
  private final List<Consumer<Snapshot>> watchers = new CopyOnWriteArrayList<>();

  // ---- guarded by this ----
  private Enforcement enforcement = NONE;
  private SettingsFile.Content content;
  private AdminSettings admin;
  private String problem = "";
  private String adminProblem = "";

  /** Written under the lock; read without it, since who looks must not wait for a dead disk. */
  private volatile Snapshot snapshot;

  /** For who changes his mind; the oldest first. */
  private final LinkedHashMap<Path, SettingsFile.Removed> removed = new LinkedHashMap<>();

  /**
   * Reads the settings, and makes them at first.
   *
   * @throws SettingsException if they cannot be made, or the command line's list cannot be shared
   */
  public SettingsStore(Config config) throws SettingsException {
    this.config = config;
    check = new FolderCheck(config.state());
    file = new SettingsFile(config.state().resolve("settings.json"), defaultOwner);
    synchronized (this) {
      readAdmin();
      readFile();
      if (config.fixed() == null && content == null && problem.isEmpty() && admin != null) {
        content = file.write(null, defaults());
      }
      snapshot = effective(judge(), Map.of());
    }
    if (config.fixed() != null) {
      requireAllShared();
    }
  }

  /** Who names folders on the command line wants them shared, or to know at once. */
  private synchronized void requireAllShared() throws SettingsException {
    for (EffectiveShare share : snapshot.shares()) {
      if (share.state() != State.SHARED) {
        throw new SettingsException(Reason.UNAVAILABLE, "cannot share " + share.reason());
      }
    }
  }

  /** What the list is at first. Those that are not there on this machine are left out. */
  private List<SharedFolder> defaults() {
    if (admin.shares() != null) {
      return admin.shares().value();
    }
    List<Path> paths;
    if (admin.allowed() != null) {
      paths =
          admin.allowed().stream()
              .filter(AdminSettings.Allowed::sharedByDefault)
              .map(AdminSettings.Allowed::path)
              .toList();
    } else if (System.getProperty("os.name").startsWith("Mac")) {
      paths =
          List.of(
              Path.of("/Users"),
              Path.of("/Volumes"),
              Path.of("/private"),
              Path.of("/tmp"),
              Path.of("/var/folders"));
    } else {
      paths = List.of(config.home());
    }
    return paths.stream()
        .filter(p -> p.getNameCount() > 0 && Files.isDirectory(p))
        .map(p -> admin.initial(p, defaultOwner))
        .toList();
  }

  // ---- reading ----

  private void readAdmin() {
    try {
      admin = AdminSettings.read(config.admin(), config.home(), defaultOwner);
      adminProblem = "";
    } catch (SettingsException e) {
      if (!e.getMessage().equals(adminProblem)) {
        log.error("{}", e.getMessage());
      }
      adminProblem = e.getMessage();
    }
  }

  /** Leaves {@link #content} as it was if the file is broken, or gone. */
  private void readFile() {
    if (config.fixed() != null) {
      return;
    }
    String before = problem;
    try {
      SettingsFile.Content read = file.read();
      if (read == null && content != null) {
        problem = file.path() + " is gone; it is written again with the next change of the list";
      } else {
        requireOutOfReach(read == null ? List.of() : read.shares());
        content = read;
        problem = "";
      }
    } catch (SettingsException e) {
      problem = e.getMessage();
    }
    if (!problem.isEmpty() && !problem.equals(before)) {
      log.error("{}; what was shared before stays so", problem);
    }
  }

  /** Looks at the files again, and at the folders, and puts what has changed in force. */
  public synchronized void refresh() {
    readAdmin();
    readFile();
    enforce();
  }

  // ---- what is in force ----

  /** Puts the list in force by {@code by}, now and whenever it changes. */
  public synchronized void enforce(Enforcement by) {
    enforcement = by;
    enforce();
  }

  private void enforce() {
    Map<Path, FolderCheck.Judgement> judged = judge();
    Snapshot next = effective(judged, Map.of());
    List<ListedShare> list =
        next.shares().stream()
            .filter(s -> s.state() == State.SHARED || s.state() == State.DISABLED)
            .map(
                s ->
                    new ListedShare(
                        s.spec(),
                        judged.get(s.folder().path()).folder(),
                        s.state() == State.SHARED))
            .toList();
    Map<Path, String> failures = enforcement.apply(list);
    if (!failures.isEmpty()) {
      next = effective(judged, failures);
    }
    if (!next.equals(snapshot)) {
      snapshot = next;
      watchers.forEach(w -> w.accept(snapshot));
    }
  }

  /** What is to be said of the folders on the list; empty if nothing may be shared at all. */
  private Map<Path, FolderCheck.Judgement> judge() {
    Map<Path, FolderCheck.Judgement> judged = new HashMap<>();
    if (admin != null) {
      List<SharedFolder> lines = lines().stream().map(this::inForce).toList();
      var reach = new Reach(lines);
      lines.forEach(line -> judged.put(line.path(), check.judge(line, admin, reach)));
    }
    return judged;
  }

  /** Where the guests of the list can change what is there. */
  synchronized Reach reach() {
    return new Reach(admin == null ? List.of() : lines().stream().map(this::inForce).toList());
  }

  private Snapshot effective(Map<Path, FolderCheck.Judgement> judged, Map<Path, String> failures) {
    return new Snapshot(
        lines().stream()
            .map(line -> effective(line, judged.get(line.path()), failures.get(line.path())))
            .sorted(Comparator.comparing(s -> s.folder().path()))
            .toList(),
        file.path(),
        problem,
        config.fixed() != null,
        admin == null ? AdminSettings.none(config.admin()) : admin,
        adminProblem,
        defaultOwner);
  }

  private List<SharedFolder> lines() {
    if (config.fixed() != null) {
      return config.fixed().stream()
          .map(s -> new SharedFolder(s.path(), s.readOnly(), s.owner(), true, ""))
          .toList();
    }
    if (admin != null && admin.listLocked()) {
      return admin.shares().value();
    }
    return content == null ? List.of() : content.shares();
  }

  /** A line with the access and owner that the administrator leaves it. */
  private SharedFolder inForce(SharedFolder line) {
    return line.with(
        admin.accessLocked() ? admin.readOnly().value() : line.readOnly(),
        admin.ownerLocked() ? admin.owner().value() : line.owner());
  }

  private EffectiveShare effective(
      SharedFolder line, FolderCheck.Judgement judged, String failure) {
    if (admin == null) {
      return new EffectiveShare(
          line,
          State.DENIED,
          line.path()
              + ": the administrator's settings cannot be read, so nothing is shared: "
              + adminProblem,
          false,
          false);
    }
    State state = State.SHARED;
    String reason = "";
    FolderCheck.Refusal refusal = judged.refusal();
    if (refusal != null) {
      state = refusal.reason() == Reason.NOT_ALLOWED ? State.DENIED : State.UNAVAILABLE;
      reason = refusal.message();
    } else if (failure != null) {
      state = State.UNAVAILABLE;
      reason = judged.trouble() == null ? failure : judged.trouble().message();
    }
    if (!line.enabled() && state != State.DENIED) {
      state = State.DISABLED;
      reason = "";
    }
    return new EffectiveShare(
        inForce(line), state, reason, admin.accessLocked(), admin.ownerLocked());
  }

  /** The list now. */
  public Snapshot snapshot() {
    return snapshot;
  }

  /** Passes on the list now, and each time it changes, until the result is closed. */
  public synchronized AutoCloseable watch(Consumer<Snapshot> watcher) {
    watchers.add(watcher);
    watcher.accept(snapshot);
    return () -> watchers.remove(watcher);
  }

  // ---- changes ----

  /** Adds a share at the end of the list. */
  public synchronized Snapshot add(SharedFolder share) throws SettingsException {
    requireChangeable();
    requireNotListed(share.path());
    requireUnlocked(share.readOnly());
    requireUnlocked(share.owner());
    requireShareable(share, shares());
    requireRoom();
    List<SharedFolder> next = new ArrayList<>(shares());
    next.add(share);
    return save(next);
  }

  private void requireNotListed(Path path) throws SettingsException {
    SharedFolder there = find(path);
    if (there != null) {
      throw new SettingsException(
          Reason.ALREADY_LISTED,
          path
              + " is on the list already"
              + (there.path().equals(path) ? "" : ", as " + there.path())
              + ": change it with `hostshare shares set`");
    }
  }

  private void requireRoom() throws SettingsException {
    if (shares().size() >= ShareJson.MAX_SHARES) {
      throw new SettingsException(
          Reason.UNAVAILABLE,
          "the list has " + ShareJson.MAX_SHARES + " shares, and can have no more");
    }
  }

  private void requireShareable(SharedFolder share, List<SharedFolder> beside)
      throws SettingsException {
    List<SharedFolder> list = new ArrayList<>(beside);
    list.add(share);
    var reach = new Reach(list.stream().map(this::inForce).toList());
    FolderCheck.Refusal refusal = check.judge(inForce(share), admin, reach).anyRefusal();
    if (refusal != null) {
      throw new SettingsException(refusal.reason(), refusal.message());
    }
  }

  private void requireUnlocked(boolean readOnly) throws SettingsException {
    if (admin.accessLocked() && readOnly != admin.readOnly().value()) {
      throw new SettingsException(
          Reason.NOT_ALLOWED, "access is " + (admin.readOnly().value() ? "ro" : "rw") + lockedBy());
    }
  }

  private void requireUnlocked(OwnerPolicy owner) throws SettingsException {
    if (admin.ownerLocked() && !owner.equals(admin.owner().value())) {
      throw new SettingsException(
          Reason.NOT_ALLOWED, "the owner is " + admin.owner().value().text() + lockedBy());
    }
  }

  private String lockedBy() {
    return " for every share: the administrator of this machine has locked it ("
        + admin.file()
        + ")";
  }

  /** Changes a share; its path stays. */
  public synchronized Snapshot update(Path path, UnaryOperator<SharedFolder> change)
      throws SettingsException {
    requireChangeable();
    SharedFolder before = require(path);
    SharedFolder after = change.apply(before);
    if (!before.path().equals(after.path())) {
      throw new IllegalArgumentException("a share keeps its path");
    }
    if (after.readOnly() != before.readOnly()) {
      requireUnlocked(after.readOnly());
    }
    if (!after.owner().equals(before.owner())) {
      requireUnlocked(after.owner());
    }
    return save(shares().stream().map(s -> s.path().equals(before.path()) ? after : s).toList());
  }

  /** Takes a share off the list. */
  public synchronized Snapshot remove(Path path) throws SettingsException {
    requireChangeable();
    SharedFolder gone = require(path);
    SettingsFile.Removed forUndo = SettingsFile.removed(content, gone);
    Snapshot after = save(shares().stream().filter(s -> !s.path().equals(gone.path())).toList());
    removed.put(gone.path(), forUndo);
    if (removed.size() > MAX_REMOVED) {
      removed.remove(removed.sequencedKeySet().getFirst());
    }
    return after;
  }

  /** Puts a share back that was removed, where and exactly as it was. */
  public synchronized Snapshot restore(Path path) throws SettingsException {
    requireChangeable();
    SettingsFile.Removed back = removed.get(path);
    if (back == null) {
      throw new SettingsException(
          Reason.NOT_FOUND, path + " was not removed a moment ago: add it again");
    }
    requireNotListed(path);
    requireRoom();
    SettingsFile.Content next = SettingsFile.with(content, back);
    Snapshot after = save(next, next.shares());
    removed.remove(path);
    return after;
  }

  /**
   * What an import did.
   *
   * @param skipped why not, beginning with the path
   */
  public record Imported(Snapshot snapshot, List<Path> added, List<String> skipped) {}

  /** Adds the folders of a Docker Desktop settings file, with the default owner. */
  public synchronized Imported importDocker(String json) throws SettingsException {
    requireChangeable();
    List<SharedFolder> next = new ArrayList<>(shares());
    List<Path> added = new ArrayList<>();
    List<String> skipped = new ArrayList<>();
    for (String text : DockerSettings.folders(json)) {
      try {
        Path path = SharedFolder.parsePath(text);
        if (find(path) != null || added.contains(path)) {
          skipped.add(path + " is on the list already");
          continue;
        }
        requireShareable(initial(path), next);
        if (next.size() >= ShareJson.MAX_SHARES) {
          skipped.add(path + ": the list is full");
          continue;
        }
        next.add(initial(path));
        added.add(path);
      } catch (IllegalArgumentException | SettingsException e) {
        skipped.add(e.getMessage());
      }
    }
    return new Imported(added.isEmpty() ? snapshot : save(next), added, skipped);
  }

  /** A share as it is where nothing more is said of it. */
  public synchronized SharedFolder initial(Path path) {
    AdminSettings known = admin == null ? AdminSettings.none(config.admin()) : admin;
    return known.initial(path, defaultOwner);
  }

  /** Reads the files again, so that no edit is lost, and refuses what would lose one. */
  private void requireChangeable() throws SettingsException {
    if (config.fixed() != null) {
      throw new SettingsException(
          Reason.UNAVAILABLE,
          "the server was started with --share: its list is that of its command line. Start it"
              + " without --share to use "
              + file.path());
    }
    readAdmin();
    if (!adminProblem.isEmpty()) {
      throw new SettingsException(Reason.BROKEN_FILE, adminProblem + "; nothing was changed");
    }
    if (admin.listLocked()) {
      throw new SettingsException(
          Reason.NOT_ALLOWED,
          "the list is locked by the administrator of this machine (" + admin.file() + ")");
    }
    SettingsFile.Content read = file.read(); // whose exception says line and column
    if (read != null) {
      content = read;
    }
    problem = "";
  }

  private List<SharedFolder> shares() {
    return content == null ? List.of() : content.shares();
  }

  private SharedFolder require(Path path) throws SettingsException {
    SharedFolder there = find(path);
    if (there == null) {
      throw new SettingsException(
          Reason.NOT_FOUND,
          path
              + " is not on the list"
              + (shares().isEmpty()
                  ? ", which is empty"
                  : ": "
                      + String.join(
                          ", ", shares().stream().map(s -> s.path().toString()).toList())));
    }
    return there;
  }

  /** By its path, in whatever case it is written where the file system knows no case. */
  private SharedFolder find(Path path) {
    for (SharedFolder share : shares()) {
      if (share.path().equals(path)) {
        return share;
      }
    }
    for (SharedFolder share : shares()) {
      if (share.path().toString().equalsIgnoreCase(path.toString()) && isSame(share.path(), path)) {
        return share;
      }
    }
    return null;
  }

  private static boolean isSame(Path a, Path b) {
    try {
      return Files.isSameFile(a, b);
    } catch (IOException e) {
      return false; // one of them is not there
    }
  }

  private Snapshot save(List<SharedFolder> next) throws SettingsException {
    return save(content, next);
  }

  private Snapshot save(SettingsFile.Content before, List<SharedFolder> next)
      throws SettingsException {
    requireOutOfReach(next);
    content = file.write(before, next);
    enforce();
    return snapshot;
  }

  /** Refuses a file that is kept elsewhere, by a link, where guests could write their own list. */
  private void requireOutOfReach(List<SharedFolder> list) throws SettingsException {
    if (!Files.isSymbolicLink(file.path())) {
      return; // it is in the state folder, which no guest can reach
    }
    try {
      Path state = config.state().toRealPath();
      Way way = Way.of(file.path());
      var reach = new Reach(admin == null ? list : list.stream().map(this::inForce).toList());
      for (Path place : Iterables.concat(way.links(), List.of(way.end()))) {
        Path holder = place.startsWith(state) ? null : reach.holding(place);
        if (holder != null) {
          throw new SettingsException(
              Reason.BROKEN_FILE,
              file.path()
                  + " leads to "
                  + place
                  + ", which guests could change, since it is in the share "
                  + holder
                  + ": keep it outside of what is shared, or share that read-only");
        }
      }
    } catch (IOException e) {
      throw new SettingsException(
          Reason.BROKEN_FILE, file.path() + " cannot be followed: " + e.getMessage(), e);
    }
  }

  /** The files that {@link #refresh} looks at. */
  List<Path> files() {
    return Arrays.asList(file.path(), config.admin());
  }
}
