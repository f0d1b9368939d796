package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.overlay.OverlayRecord;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.proto.Errno;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Compares the overlay's records with the files on the host. Every folder that was ever shared is
 * walked if a record's file is not where it was last seen; a record whose file is nowhere in them
 * is an orphan, unless its file system is not mounted now, of which nothing can be said.
 */
public final class OverlayAudit {
  /** 4 MiB of hashes: what is lost beyond them takes another walk. */
  private static final int MOST_LOST = 1 << 19;

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

  /** Is told of each finding, and asked whether to go on. */
  public interface Report {
    /** Called for each finding. */
    void found(Finding finding) throws ErrnoException;

    /** Called for each record and file that is looked at; throws what is to end the audit. */
    void goOn();
  }

  /**
   * Tells of all records whose file is not where it was last seen; half a million of them at a
   * time, with a walk through the shared folders for each.
   */
  public void verify(Report report) throws ErrnoException {
    try (OverlayStore.Listing records = overlay.list()) {
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
            if (finding.state() == State.GONE) {
              overlay.remove(finding.id());
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

  /** Whether its file is there, or it has no record any more. */
  private boolean isWhereItWas(FileId id, OverlayRecord seen) throws ErrnoException {
    if (isThere(id, seen)) {
      return true;
    }
    OverlayRecord now = overlay.get(id);
    return now == null || isThere(id, now);
  }

  private boolean isThere(FileId id, OverlayRecord record) throws ErrnoException {
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

  /** A part of the records, with no more than {@link #MOST_LOST} of them lost. */
  private final class Part {
    /** The rows in it: after {@code begin}, up to {@code end}. */
    final long begin;

    final long end;
    private final OverlayStore.Listing records;
    private final Report report;

    /** Hashes of the lost, in ascending order. */
    private long[] lost = new long[1024];

    private int count;

    /** Those of them that were found elsewhere, by their index. */
    private final BitSet found = new BitSet();

    /** Where there are files. */
    private final Set<Integer> volumes = new HashSet<>();

    /** The part after row {@code begin}; empty if there is none. */
    Part(OverlayStore.Listing records, Report report, long begin) throws ErrnoException {
      this.records = records;
      this.report = report;
      this.begin = begin;
      end = records.visit(begin, Long.MAX_VALUE, this::look);
      Arrays.sort(lost, 0, count);
    }

    private boolean look(FileId id, OverlayRecord record) throws ErrnoException {
      report.goOn();
      if (!isWhereItWas(id, record)) {
        if (count == lost.length) {
          lost = Arrays.copyOf(lost, 2 * count);
        }
        lost[count++] = id.hash64();
      }
      return count < MOST_LOST;
    }

    /** The index among the lost; negative if it is none of them. */
    private int indexOf(FileId id) {
      return Arrays.binarySearch(lost, 0, count, id.hash64());
    }

    /** Looks for the lost in all folders. */
    void search() throws ErrnoException {
      if (count == 0) {
        return;
      }
      for (String root : overlay.roots()) {
        try {
          paths.walk(Path.of(root), this::visit);
        } catch (ErrnoException e) {
          if (!isAbsence(e)) {
            throw e;
          }
        }
      }
    }

    private void visit(HostPaths.Found file) throws ErrnoException {
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
      overlay.moved(file.id(), file.place());
      if (record.path() != null) {
        report.found(new Finding(file.id(), record.path(), State.MOVED, file.place().path()));
      } // else nobody knows where it was
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
      // A guest may have moved it while it was looked for.
      if (index >= 0 && !found.get(index) && !isWhereItWas(id, record)) {
        var state = volumes.contains(id.volume()) ? State.GONE : State.UNREACHABLE;
        report.found(new Finding(id, record.path(), state, null));
      }
      return true;
    }
  }
}
