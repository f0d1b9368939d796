package dev.hostshare.fileserver.overlay;

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

/**
 * The files that had a record when the listing began, by path, with their records as the database
 * has them when they are read; those that are gone by then are left out. Not thread-safe.
 *
 * <p>Takes no memory for what is not being read: the order is in a temporary table, which SQLite
 * keeps in a file (sqlite.org/tempfiles.html). Between two pages nobody else is held up.
 */
final class OverlayListing implements AutoCloseable {
  private static final int PAGE = 512;

  /**
   * A file with a record.
   *
   * @param row its number in the order, from 1
   */
  record Entry(long row, FileId id, OverlayRecord record) {}

  private final Connection connection;
  private final PreparedStatement page;

  /** Begins a listing of a store's database. */
  OverlayListing(Path file) throws SQLException {
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

  /** The first after row {@code from}, up to row {@code to}; none if there are no more. */
  List<Entry> read(long from, long to) throws SQLException {
    List<Entry> entries = new ArrayList<>(PAGE);
    page.setLong(1, from);
    page.setLong(2, to);
    try (ResultSet r = page.executeQuery()) {
      while (r.next()) {
        FileId id = new FileId(r.getInt(2), r.getLong(3), r.getLong(4));
        entries.add(new Entry(r.getLong(1), id, OverlayDatabase.record(r, 5)));
      }
    }
    return entries;
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
