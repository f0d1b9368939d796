package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.overlay.OverlayRecord;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.proto.Errno;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Compares the overlay's records with the files on the host. Every folder that was ever shared is
 * walked if a record's file is not where it was last seen; a record whose file is nowhere in them
 * is an orphan, unless its file system is not mounted now, of which nothing can be said.
 */
public final class OverlayAudit {
  private final OverlayStore overlay;
  private final HostPaths paths;

  public OverlayAudit(OverlayStore overlay, HostPaths paths) {
    this.overlay = overlay;
    this.paths = paths;
  }

  /** What became of a record's file. */
  public enum State {
    /** Moved on the host since it was last seen; the record's place has been brought up to date. */
    MOVED,
    /** In none of the shared folders, though its file system is there. */
    GONE,
    /** Its file system is not mounted, or no shared folder on it exists. */
    UNREACHABLE
  }

  /**
   * A record that is not where it was.
   *
   * @param path where it was last seen
   * @param now where it is now, for {@link State#MOVED}
   */
  public record Finding(FileId id, String path, State state, String now) {}

  /** All records whose file is not where it was last seen. */
  public List<Finding> verify() throws ErrnoException {
    Map<FileId, OverlayRecord> lost = new HashMap<>();
    List<Map.Entry<FileId, OverlayRecord>> all = new ArrayList<>();
    overlay.forEach((id, r) -> all.add(Map.entry(id, r)));
    for (Map.Entry<FileId, OverlayRecord> e : all) {
      if (!isWhereItWas(e.getKey(), e.getValue())) {
        lost.put(e.getKey(), e.getValue());
      }
    }
    List<Finding> findings = new ArrayList<>();
    if (lost.isEmpty()) {
      return findings;
    }
    Set<Integer> volumes = new HashSet<>();
    for (String root : overlay.roots()) {
      search(root, lost, volumes, findings);
    }
    BiConsumer<FileId, OverlayRecord> report =
        (id, r) ->
            findings.add(
                new Finding(
                    id,
                    r.path(),
                    volumes.contains(id.volume()) ? State.GONE : State.UNREACHABLE,
                    null));
    lost.forEach(report);
    return findings;
  }

  private boolean isWhereItWas(FileId id, OverlayRecord record) throws ErrnoException {
    if (record.path() == null) {
      return false;
    }
    try {
      return paths.find(Path.of(record.path())).id().equals(id);
    } catch (ErrnoException e) {
      if (isAbsence(e)) {
        return false;
      }
      throw e;
    }
  }

  private static boolean isAbsence(ErrnoException e) {
    return e.errno() == Errno.ENOENT
        || e.errno() == Errno.ENOTDIR
        || e.errno() == Errno.EACCES
        || e.errno() == Errno.EINVAL
        || e.errno() == Errno.ELOOP;
  }

  private void search(
      String root, Map<FileId, OverlayRecord> lost, Set<Integer> volumes, List<Finding> findings)
      throws ErrnoException {
    try {
      paths.walk(
          Path.of(root),
          file -> {
            volumes.add(file.id().volume());
            OverlayRecord record = lost.remove(file.id());
            if (record != null) {
              overlay.moved(file.id(), file.place());
              if (record.path() != null) {
                findings.add(
                    new Finding(file.id(), record.path(), State.MOVED, file.place().path()));
              } // else nobody knows where it was
            }
          });
    } catch (ErrnoException e) {
      if (!isAbsence(e)) {
        throw e;
      }
    }
  }

  /** Removes the records of files that are gone. How many. */
  public int collect() throws ErrnoException {
    int removed = 0;
    for (Finding finding : verify()) {
      if (finding.state() == State.GONE) {
        overlay.remove(finding.id());
        removed++;
      }
    }
    return removed;
  }
}
