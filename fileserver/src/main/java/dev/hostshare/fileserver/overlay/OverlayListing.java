package dev.hostshare.fileserver.overlay;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The files that had a record when the listing began, by path, with their records as they are when
 * they are read; those that are gone by then are left out. It can be read more than once, from
 * where one was left. Not thread-safe.
 *
 * <p>Takes no memory for what is not being read: the order is in a temporary table, which SQLite
 * keeps in a file (sqlite.org/tempfiles.html). The store is not locked meanwhile: who reads may
 * change it, and take his time.
 */
public final class OverlayListing implements AutoCloseable {
  private static final int PAGE = 512;

  /** What is done with each record, or with some. */
  public interface Visitor {
    /** Sees a record; false to see no more. */
    boolean visit(FileId id, OverlayRecord record) throws ErrnoException;
  }

  /**
   * A file with a record.
   *
   * @param row its number in the order, from 1
   */
  private record Entry(long row, FileId id, OverlayRecord record) {}

  private final Connection connection;
  private final PreparedStatement page;
  private final Function<FileId, OverlayRecord> fresh;
  private final Function<Exception, ErrnoException> failure;

  /**
   * Begins a listing of a store's database.
   *
   * @param fresh the record that the database does not have yet: null if it has it, void if gone
   * @param failure tells the log of a failure of the database, and the guest
   */
  OverlayListing(
      Path file, Function<FileId, OverlayRecord> fresh, Function<Exception, ErrnoException> failure)
      throws SQLException {
    this.fresh = fresh;
    this.failure = failure;
    connection = DriverManager.getConnection("jdbc:sqlite:" + file);
    try (Statement s = connection.createStatement()) {
      s.execute("PRAGMA temp_store = FILE");
      s.execute(
          "CREATE TEMP TABLE listing AS SELECT volume, inode, birth FROM node ORDER BY path, inode");
      // CROSS JOIN: the listing is the outer loop (sqlite.org/optoverview.html).
      page =
          connection.prepareStatement(
              "SELECT l.rowid, n.volume, n.inode, n.birth, "
                  + OverlayDatabase.COLUMNS
                  + " FROM listing l CROSS JOIN node n ON n.volume = l.volume AND n.inode = l.inode"
                  + " AND n.birth = l.birth WHERE l.rowid > ? AND l.rowid <= ? ORDER BY l.rowid LIMIT "
                  + PAGE);
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  /**
   * Shows the records after row {@code from}, up to row {@code to}, until the visitor has seen
   * enough.
   *
   * @return the row of the last that was seen; {@code from} if there is none
   */
  public long visit(long from, long to, Visitor visitor) throws ErrnoException {
    long at = from;
    while (true) {
      List<Entry> entries;
      try {
        entries = read(at, to);
      } catch (SQLException e) {
        throw failure.apply(e);
      }
      if (entries.isEmpty()) {
        return at;
      }
      for (Entry entry : entries) {
        at = entry.row();
        if (!entry.record().isVoid() && !visitor.visit(entry.id(), entry.record())) {
          return at;
        }
      }
    }
  }

  /** The first after row {@code from}, up to row {@code to}; none if there are no more. */
  private List<Entry> read(long from, long to) throws SQLException {
    List<Entry> entries = new ArrayList<>(PAGE);
    page.setLong(1, from);
    page.setLong(2, to);
    try (ResultSet r = page.executeQuery()) {
      while (r.next()) {
        FileId id = new FileId(r.getInt(2), r.getLong(3), r.getLong(4));
        entries.add(new Entry(r.getLong(1), id, OverlayDatabase.record(r, 5)));
      }
    }
    // Now that nothing is being read: who has the store's lock may wait for all readers to end.
    entries.replaceAll(this::upToDate);
    return entries;
  }

  private Entry upToDate(Entry entry) {
    OverlayRecord changed = fresh.apply(entry.id());
    return changed == null ? entry : new Entry(entry.row(), entry.id(), changed);
  }

  @Override
  public void close() throws ErrnoException {
    try {
      connection.close();
    } catch (SQLException e) {
      throw failure.apply(e);
    }
  }
}
