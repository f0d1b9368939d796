package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.overlay.OverlayException;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.proto.Errno;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The shares that guests may have, now. {@link #apply} makes them others while guests use them:
 * what is no longer shared is taken away from the sessions, what stays is not touched.
 *
 * <p>Thread-safe; changes one after the other.
 */
public final class Shares implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Shares.class);

  private final HostFs host;
  private final OverlayStore overlay;
  private final Volumes volumes;
  private final Watches watches;
  private final Path state;
  private final FileId hidden;
  private volatile List<Export> exports = List.of();

  // ---- guarded by this ----
  /** Shares that were kept although their folders could not be opened. */
  private Set<Path> kept = Set.of();

  /** The folders of the list that are not shared, by its paths. */
  private Map<Path, Path> closed = Map.of();

  /**
   * Folders that shares, others and the state lie in, and their roots: what was last known counts
   * while one cannot be looked at, or a guest that uses up the descriptors would be free of it.
   */
  private Map<Path, FileId> known = Map.of();

  /**
   * No shares yet.
   *
   * @param watches knows the sessions
   * @param state a folder that no guest may reach though it may lie in a share, nor move with what
   *     it lies in; free of symbolic links
   * @throws ErrnoException if that cannot be opened
   */
  public Shares(HostFs host, OverlayStore overlay, Watches watches, Path state)
      throws ErrnoException {
    this.host = host;
    this.overlay = overlay;
    this.volumes = new Volumes(host, overlay);
    this.watches = watches;
    this.state = state;
    this.hidden = identify(state);
  }

  private FileId identify(Path folder) throws ErrnoException {
    int fd = host.openRoot(folder);
    try {
      return volumes.identify(host.stat(fd, HostFs.SELF), fd, HostFs.SELF);
    } finally {
      host.close(fd);
    }
  }

  /** The shares now, in the order they were given. */
  public List<Export> all() {
    return exports;
  }

  /** The share at this path; ENOENT if there is none. */
  public Export find(String path) throws ErrnoException {
    for (Export export : exports) {
      if (export.spec().path().toString().equals(path)) {
        return export;
      }
    }
    throw ErrnoException.of(Errno.ENOENT);
  }

  /**
   * What {@link #apply} did.
   *
   * @param changed whether guests have to be told of the list
   * @param failures why a share could not be opened, by its path
   */
  public record Outcome(boolean changed, Map<Path, ErrnoException> failures) {}

  /**
   * Shares the open ones of these folders and no others. A share whose folder is another than
   * before, since it was removed and made again, is another share: its guests have to take it in
   * anew. One whose folder cannot be opened for a moment (no descriptors, a disk's error) stays.
   *
   * @param list no two of the same path
   * @throws OverlayException if the store fails; what is shared is then unchanged
   */
  public synchronized Outcome apply(List<ListedShare> list) throws OverlayException {
    Map<Path, ErrnoException> failures = new LinkedHashMap<>();
    Map<Export, ListedShare> next = new LinkedHashMap<>();
    List<Export> opened = new ArrayList<>();
    Set<Path> troubled = new HashSet<>();
    for (ListedShare line : list) {
      if (!line.open()) {
        continue;
      }
      Export before = findOrNull(line.spec().path());
      try {
        Export candidate = open(line);
        if (before != null && candidate.isSame(before)) {
          candidate.close();
          next.put(before, line);
        } else {
          next.put(candidate, line);
          opened.add(candidate);
        }
      } catch (ErrnoException e) {
        if (before == null || isGone(e)) {
          failures.put(line.spec().path(), e);
        } else {
          next.put(before, new ListedShare(line.spec(), before.realPath(), true));
          troubled.add(line.spec().path());
          if (!kept.contains(line.spec().path())) {
            log.warn("{} cannot be looked at, and stays shared: {}", line.spec().path(), e);
          }
        }
      }
    }
    kept = troubled;
    try {
      rememberRoots(opened);
    } catch (OverlayException e) {
      opened.forEach(Export::close);
      throw e;
    }
    boolean changed = false;
    for (Map.Entry<Export, ListedShare> e : next.entrySet()) {
      ListedShare line = e.getValue();
      changed |= !line.spec().equals(e.getKey().spec());
      e.getKey().become(line.spec(), line.folder());
    }
    // Before anybody can have them: a share must not be had without what is said of its folders.
    for (Map.Entry<Export, Nested> e : nested(next.keySet(), list).entrySet()) {
      Nested its = e.getValue();
      if (its.trouble != null && opened.contains(e.getKey())) {
        failures.put(e.getKey().spec().path(), its.trouble);
        next.remove(e.getKey());
        e.getKey().close();
      } else {
        changed |= e.getKey().nest(its.inner, its.between);
      }
    }
    List<Export> shares = List.copyOf(next.keySet());
    if (!changed && shares.equals(exports)) {
      return new Outcome(false, failures);
    }
    List<Export> gone = exports.stream().filter(e -> !next.containsKey(e)).toList();
    gone.forEach(Export::revoke);
    exports = shares;
    for (ExportSession session : watches.sessions()) {
      if (changed) {
        session.sharesChanged();
      }
      session.revoke();
    }
    gone.forEach(Export::close);
    return new Outcome(true, failures);
  }

  private Export open(ListedShare line) throws ErrnoException {
    if (line.folder() == null) {
      throw ErrnoException.of(Errno.EIO);
    }
    return Export.open(line.spec(), line.folder(), host, overlay, volumes, hidden);
  }

  /** Whether the error says that the folder is not there, or not ours to share, any more. */
  private static boolean isGone(ErrnoException e) {
    return switch (e.errno()) {
      case Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP, Errno.EACCES, Errno.EPERM -> true;
      default -> false;
    };
  }

  private Export findOrNull(Path path) {
    return exports.stream().filter(e -> e.spec().path().equals(path)).findFirst().orElse(null);
  }

  /** `overlay verify` looks for what was moved below them, in what is no longer shared as well. */
  private void rememberRoots(List<Export> shares) throws OverlayException {
    if (!shares.isEmpty()) {
      overlay.rememberRoots(shares.stream().map(s -> s.realPath().toString()).toList());
    }
  }

  /** What lies in a share. */
  private static final class Nested {
    final Map<FileId, Export.Inner> inner = new HashMap<>();
    final Set<FileId> between = new HashSet<>();

    /** Why it is not known of a folder which it is; null if it is of all. */
    ErrnoException trouble;

    /** Of two lines that lead to one folder the one that shares it counts, and read-only more. */
    private static Export.Inner ofTwoPaths(Export.Inner a, Export.Inner b) {
      if (a.open() != b.open()) {
        return a.open() ? a : b;
      }
      return b.spec().readOnly() ? b : a;
    }
  }

  /** What lies in each share: others, folders of the list that are not shared, and the state. */
  private Map<Export, Nested> nested(Set<Export> shares, List<ListedShare> list) {
    Map<Path, FileId> knownNow = new HashMap<>();
    Map<Path, Path> closedNow = new HashMap<>();
    Map<Path, List<Nested>> byFolder = new HashMap<>();
    Map<Export, Nested> nested = new LinkedHashMap<>();
    for (Export share : shares) {
      Nested its = new Nested();
      nested.put(share, its);
      byFolder.computeIfAbsent(share.realPath(), _ -> new ArrayList<>()).add(its);
      knownNow.put(share.realPath(), share.rootId());
    }
    for (Export share : shares) {
      var inner = new Export.Inner(share.spec(), share.realPath(), true);
      place(share.realPath(), inner, byFolder, knownNow);
    }
    for (ListedShare line : list) {
      Path path = line.spec().path();
      Path folder = line.folder() == null ? closed.get(path) : line.folder();
      if (!line.open() && folder != null) {
        closedNow.put(path, folder);
        place(folder, new Export.Inner(line.spec(), folder, false), byFolder, knownNow);
      }
    }
    place(state, null, byFolder, knownNow);
    known = knownNow;
    closed = closedNow;
    return nested;
  }

  /**
   * Notes a folder in each share that it lies in, with the folders between them.
   *
   * @param inner null: nothing is to be said of the folder itself
   * @param ids the identities that were looked up until now
   */
  private void place(
      Path folder, Export.Inner inner, Map<Path, List<Nested>> byFolder, Map<Path, FileId> ids) {
    List<Path> way = new ArrayList<>();
    for (Path p = folder.getParent(); p != null; p = p.getParent()) {
      for (Nested outer : byFolder.getOrDefault(p, List.of())) {
        try {
          if (inner != null) {
            FileId id = idOf(folder, ids);
            if (id != null) {
              outer.inner.merge(id, inner, Nested::ofTwoPaths);
            }
          }
          for (Path between : way) {
            FileId id = idOf(between, ids);
            if (id != null) {
              outer.between.add(id);
            }
          }
        } catch (ErrnoException e) {
          outer.trouble = e;
        }
      }
      way.add(p);
    }
  }

  /** Null if it is not there; what was last known if it cannot be looked at. */
  private FileId idOf(Path folder, Map<Path, FileId> ids) throws ErrnoException {
    FileId id = ids.get(folder);
    if (id == null) {
      try {
        id = identify(folder);
      } catch (ErrnoException e) {
        if (isGone(e)) {
          // Moved this very moment: the next look at the list finds what lay in it gone, too.
          log.debug("{} is not where it was: {}", folder, e.getMessage());
          return null;
        }
        id = known.get(folder);
        if (id == null) {
          throw e;
        }
      }
      ids.put(folder, id);
    }
    return id;
  }

  /** Guests have nothing any more; their sessions are closed already. */
  @Override
  public synchronized void close() {
    exports.forEach(Export::revoke);
    exports.forEach(Export::close);
    exports = List.of();
  }
}
