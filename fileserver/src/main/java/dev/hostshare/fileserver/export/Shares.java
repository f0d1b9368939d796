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
  private final FileId hidden;
  private volatile List<Export> exports = List.of();

  /**
   * No shares yet.
   *
   * @param watches knows the sessions
   * @param state a folder that no guest may reach though it may lie in a share
   * @throws ErrnoException if that cannot be opened
   */
  public Shares(HostFs host, OverlayStore overlay, Watches watches, Path state)
      throws ErrnoException {
    this.host = host;
    this.overlay = overlay;
    this.volumes = new Volumes(host, overlay);
    this.watches = watches;
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
   * Shares these folders and no others. A share whose folder is another than before, since it was
   * removed and made again, is another share: its guests have to take it in anew.
   *
   * @param wanted no two of the same path
   * @throws OverlayException if the store fails; what is shared is then unchanged
   */
  public synchronized Outcome apply(List<ShareSpec> wanted) throws OverlayException {
    Map<Path, ErrnoException> failures = new LinkedHashMap<>();
    List<Export> next = new ArrayList<>();
    List<Export> opened = new ArrayList<>();
    boolean changed = false;
    for (ShareSpec spec : wanted) {
      try {
        Export candidate = Export.open(spec, host, overlay, volumes, hidden);
        Export same = exports.stream().filter(candidate::isSame).findFirst().orElse(null);
        if (same == null) {
          next.add(candidate);
          opened.add(candidate);
        } else {
          candidate.close();
          next.add(same);
        }
      } catch (ErrnoException e) {
        failures.put(spec.path(), e);
      }
    }
    try {
      rememberRoots(opened);
    } catch (OverlayException e) {
      opened.forEach(Export::close);
      throw e;
    }
    for (Export export : next) {
      ShareSpec spec = specOf(export, wanted);
      changed |= !spec.equals(export.spec());
      export.become(spec);
    }
    if (!changed && next.equals(exports)) {
      return new Outcome(false, failures);
    }
    List<Export> gone = exports.stream().filter(e -> !next.contains(e)).toList();
    gone.forEach(Export::revoke);
    exports = List.copyOf(next);
    for (Export export : next) {
      changed |= nest(export, next);
    }
    for (ExportSession session : watches.sessions()) {
      gone.forEach(session::revoke);
      if (changed) {
        session.sharesChanged();
      }
    }
    gone.forEach(Export::close);
    return new Outcome(true, failures);
  }

  private static ShareSpec specOf(Export export, List<ShareSpec> wanted) {
    return wanted.stream().filter(s -> s.path().equals(export.spec().path())).findFirst().get();
  }

  /** `overlay verify` looks for what was moved below them, in what is no longer shared as well. */
  private void rememberRoots(List<Export> shares) throws OverlayException {
    if (!shares.isEmpty()) {
      overlay.rememberRoots(shares.stream().map(s -> s.realPath().toString()).toList());
    }
  }

  /** Tells a share which others lie in it. Whether that has changed. */
  private boolean nest(Export outer, List<Export> all) {
    Map<FileId, Export> inner = new HashMap<>();
    Set<FileId> between = new HashSet<>();
    for (Export export : all) {
      Path path = export.realPath();
      if (path.equals(outer.realPath()) || !path.startsWith(outer.realPath())) {
        continue;
      }
      inner.put(export.rootId(), export);
      for (Path p = path.getParent(); !p.equals(outer.realPath()); p = p.getParent()) {
        try {
          between.add(identify(p));
        } catch (ErrnoException e) {
          // Moved this very moment: the next look at the list finds the share gone, too.
          log.debug("{} is not where it was: {}", p, e.getMessage());
        }
      }
    }
    return outer.nest(inner, between);
  }

  /** Guests have nothing any more; their sessions are closed already. */
  @Override
  public synchronized void close() {
    exports.forEach(Export::revoke);
    exports.forEach(Export::close);
    exports = List.of();
  }
}
