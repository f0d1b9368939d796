package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.overlay.OverlayListing;
import dev.hostshare.fileserver.overlay.OverlayRecord;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.proto.Errno;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Compares the overlay's records with the files on the host. Every folder that was ever shared is
 * walked if a record's file is not where it was last seen; a record whose file is nowhere in them
 * is an orphan, unless its file system is not mounted now, or the server may not look where it was,
 * of which nothing can be said. Not thread-safe.
 */
public final class OverlayAudit {
  /** 4 MiB of hashes: what is lost beyond them takes another walk. */
  private static final int MOST_LOST = 1 << 19;

  private final OverlayStore overlay;
  private final HostPaths paths;
  private final int mostLost;

  public OverlayAudit(OverlayStore overlay, HostPaths paths) {
    this(overlay, paths, MOST_LOST);
  }

  /** {@code mostLost}: how many are looked for in one walk. */
  OverlayAudit(OverlayStore overlay, HostPaths paths, int mostLost) {
    this.overlay = overlay;
    this.paths = paths;
    this.mostLost = mostLost;
  }

  /** What became of a record's file. */
  public enum State {
    /** Moved on the host since it was last seen; the record's place has been brought up to date. */
    MOVED,
    /** In none of the shared folders, though its file system is there. */
    GONE,
    /**
     * Its file system is not mounted, no shared folder on it exists, or there is a folder on it
     * that may not be read.
     */
    UNREACHABLE
  }

  /**
   * A record that is not where it was.
   *
   * @param path where it was last seen
   * @param now where it is now, for {@link State#MOVED}; for {@link State#UNREACHABLE} a folder
   *     where it may be, which may not be read, or null
   */
  public record Finding(FileId id, String path, State state, String now) {}

  /** Is told of each finding, and asked whether to go on. */
  public interface Report {
    /** Called for each finding. */
    void found(Finding finding) throws ErrnoException;

    /** Called for each record and file that is looked at; throws what is to end the audit. */
    void goOn();
  }

  /**
   * Tells of all records whose file is not where it was last seen; half a million of them at a
   * time, with one or two walks through the shared folders for each.
   */
  public void verify(Report report) throws ErrnoException {
    try (OverlayListing records = overlay.list()) {
      var part = new Part(records, report, 0);
      while (part.begin < part.end) {
        part.search();
        part.reportLost();
        part = new Part(records, report, part.end);
      }
    }
  }

  /** Removes the records of files that are gone. How many. */
  public int collect(Runnable goOn) throws ErrnoException {
    var removed = new AtomicInteger();
    verify(
        new Report() {
          @Override
          public void found(Finding finding) throws ErrnoException {
            if (finding.state() == State.GONE && overlay.remove(finding.id())) {
              removed.incrementAndGet();
            }
          }

          @Override
          public void goOn() {
            goOn.run();
          }
        });
    return removed.get();
  }

  /** What is to be seen of a record's file where it was. */
  private enum Sight {
    /** It is there, or there is no record any more. */
    THERE,
    ABSENT,
    /** The server may not look there. */
    HIDDEN
  }

  private Sight look(FileId id, OverlayRecord seen) throws ErrnoException {
    Sight sight = lookOnce(id, seen);
    if (sight != Sight.ABSENT) {
      return sight;
    }
    OverlayRecord now = overlay.get(id); // a guest may have moved it, or removed it
    return now == null ? Sight.THERE : lookOnce(id, now);
  }

  private Sight lookOnce(FileId id, OverlayRecord record) throws ErrnoException {
    if (record.path() == null) {
      return Sight.ABSENT;
    }
    try {
      return paths.find(Path.of(record.path())).id().equals(id) ? Sight.THERE : Sight.ABSENT;
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EACCES) {
        return Sight.HIDDEN;
      }
      if (isAbsence(e)) {
        return Sight.ABSENT;
      }
      throw e;
    }
  }

  private static boolean isAbsence(ErrnoException e) {
    return e.errno() == Errno.ENOENT
        || e.errno() == Errno.ENOTDIR
        || e.errno() == Errno.EINVAL
        || e.errno() == Errno.ELOOP;
  }

  /** A part of the records, with no more than {@link #mostLost} of them lost. */
  private final class Part implements HostPaths.Visitor {
    /** The rows in it: after {@code begin}, up to {@code end}. */
    final long begin;

    final long end;
    private final OverlayListing records;
    private final Report report;

    /** Hashes of the lost, in ascending order. */
    private long[] lost = new long[1024];

    private int count;

    /** Those of them that were found elsewhere, by their index. */
    private final BitSet found = new BitSet();

    /** Where there are files. */
    private final Set<Integer> volumes = new HashSet<>();

    /** Where there are folders that may not be read: one of them. */
    private final Map<Integer, String> unreadable = new HashMap<>();

    /** The part after row {@code begin}; empty if there is none. */
    Part(OverlayListing records, Report report, long begin) throws ErrnoException {
      this.records = records;
      this.report = report;
      this.begin = begin;
      end = records.visit(begin, Long.MAX_VALUE, this::noteIfLost);
      Arrays.sort(lost, 0, count);
    }

    private boolean noteIfLost(FileId id, OverlayRecord record) throws ErrnoException {
      report.goOn();
      switch (look(id, record)) {
        case THERE -> {}
        case HIDDEN -> report.found(new Finding(id, record.path(), State.UNREACHABLE, null));
        case ABSENT -> {
          if (count == lost.length) {
            lost = Arrays.copyOf(lost, 2 * count);
          }
          lost[count++] = id.hash64();
        }
      }
      return count < mostLost;
    }

    /** The index among the lost; negative if it is none of them. */
    private int indexOf(FileId id) {
      return Arrays.binarySearch(lost, 0, count, id.hash64());
    }

    /**
     * Looks for the lost in all folders. Twice, if some are not found: a folder that is renamed
     * meanwhile may escape a walk.
     */
    void search() throws ErrnoException {
      for (int walk = 0; walk < 2 && found.cardinality() < count; walk++) {
        for (String root : overlay.roots()) {
          try {
            paths.walk(Path.of(root), this);
          } catch (ErrnoException e) {
            if (!isAbsence(e) && e.errno() != Errno.EACCES) {
              throw e;
            }
          }
        }
      }
    }

    @Override
    public void visit(HostPaths.Found file) throws ErrnoException {
      report.goOn();
      volumes.add(file.id().volume());
      int index = indexOf(file.id());
      if (index < 0 || found.get(index)) {
        return;
      }
      OverlayRecord record = overlay.get(file.id());
      if (record == null) {
        return;
      }
      found.set(index);
      overlay.found(file.id(), file.place());
      // Without a path nobody knows where it was. One that is no UTF-8 is not found by its path.
      if (record.path() != null && !record.path().equals(file.place().path())) {
        report.found(new Finding(file.id(), record.path(), State.MOVED, file.place().path()));
      }
    }

    @Override
    public void unreadable(HostPaths.Found folder) {
      unreadable.putIfAbsent(folder.id().volume(), folder.place().path());
    }

    /** Tells of those that are nowhere. */
    void reportLost() throws ErrnoException {
      if (found.cardinality() < count) {
        records.visit(begin, end, this::reportIfLost);
      }
    }

    private boolean reportIfLost(FileId id, OverlayRecord record) throws ErrnoException {
      report.goOn();
      int index = indexOf(id);
      if (index >= 0 && !found.get(index) && look(id, record) == Sight.ABSENT) {
        String hidden = unreadable.get(id.volume());
        boolean isGone = volumes.contains(id.volume()) && hidden == null;
        var state = isGone ? State.GONE : State.UNREACHABLE;
        report.found(new Finding(id, record.path(), state, hidden));
      }
      return true;
    }
  }
}
