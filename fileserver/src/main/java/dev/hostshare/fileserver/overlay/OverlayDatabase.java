package dev.hostshare.fileserver.overlay;

import dev.hostshare.fileserver.host.FileId;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The SQLite file behind {@link OverlayStore}: schema, statements, opening and its failures. Not
 * thread-safe; the store's lock guards it.
 */
final class OverlayDatabase implements AutoCloseable {
  /** "hsov", so that file(1) and a careful reader can tell what it is. */
  private static final int APPLICATION_ID = 0x68736f76;

  private static final int SCHEMA_VERSION = 1;

  /** 16 MiB of log, so that a checkpoint's fsync(2) comes rarely. */
  private static final long CHECKPOINT_BYTES = 16 << 20;

  /** A log that checkpoints do not get to the end of, for all that is written meanwhile. */
  private static final long TOO_LONG_BYTES = 64 << 20;

  /** What is left of a log that begins anew: else its size would not tell how much is in it. */
  private static final long RESTARTED_BYTES = 1 << 20;

  private static final List<String> SCHEMA =
      List.of(
          "CREATE TABLE volume (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)",
          "CREATE TABLE node (volume INTEGER NOT NULL, inode INTEGER NOT NULL, birth INTEGER NOT NULL,"
              + " uid INTEGER, gid INTEGER, mode INTEGER, type INTEGER, rdev INTEGER,"
              + " xattrs INTEGER NOT NULL DEFAULT 0,"
              + " parent_volume INTEGER, parent_inode INTEGER, parent_birth INTEGER, name BLOB,"
              + " path TEXT, PRIMARY KEY (volume, inode, birth)) WITHOUT ROWID",
          "CREATE INDEX node_name ON node (parent_inode, parent_birth, parent_volume, name)"
              + " WHERE name IS NOT NULL",
          "CREATE TABLE xattr (volume INTEGER NOT NULL, inode INTEGER NOT NULL,"
              + " birth INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL,"
              + " PRIMARY KEY (volume, inode, birth, name)) WITHOUT ROWID",
          "CREATE TABLE root (path TEXT PRIMARY KEY)",
          "CREATE TABLE store (id TEXT NOT NULL)");

  static final String COLUMNS =
      "uid, gid, mode, type, rdev, xattrs, parent_volume, parent_inode, parent_birth, name, path";
  private static final String KEY = " WHERE volume = ? AND inode = ? AND birth = ?";

  private final UUID id;
  private final Connection connection;

  /** For checkpoints, which take long: beside all else. */
  private final Connection background;

  private final FileChannel log;
  private PreparedStatement begin;
  private PreparedStatement commit;
  private PreparedStatement select;
  private PreparedStatement selectByName;
  private PreparedStatement upsert;
  private PreparedStatement delete;
  private PreparedStatement selectXattr;
  private PreparedStatement listXattrs;
  private PreparedStatement listXattrNames;
  private PreparedStatement sumXattrs;
  private PreparedStatement upsertXattr;
  private PreparedStatement deleteXattr;
  private PreparedStatement deleteXattrs;

  private OverlayDatabase(UUID id, Connection connection, Connection background, FileChannel log)
      throws SQLException {
    this.id = id;
    this.connection = connection;
    this.background = background;
    this.log = log;
    prepare();
  }

  private void prepare() throws SQLException {
    begin = connection.prepareStatement("BEGIN IMMEDIATE");
    commit = connection.prepareStatement("COMMIT");
    select = connection.prepareStatement("SELECT " + COLUMNS + " FROM node" + KEY);
    selectByName =
        connection.prepareStatement(
            "SELECT volume, inode, birth FROM node WHERE parent_inode = ? AND parent_birth = ?"
                + " AND parent_volume = ? AND name = ?");
    upsert =
        connection.prepareStatement(
            "INSERT OR REPLACE INTO node (volume, inode, birth, "
                + COLUMNS
                + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    delete = connection.prepareStatement("DELETE FROM node" + KEY);
    selectXattr = connection.prepareStatement("SELECT value FROM xattr" + KEY + " AND name = ?");
    listXattrs =
        connection.prepareStatement("SELECT name, value FROM xattr" + KEY + " ORDER BY name");
    listXattrNames = connection.prepareStatement("SELECT name FROM xattr" + KEY + " ORDER BY name");
    sumXattrs =
        connection.prepareStatement(
            "SELECT count(*), sum(length(name) + 1), sum(length(value)) FROM xattr" + KEY);
    upsertXattr =
        connection.prepareStatement(
            "INSERT OR REPLACE INTO xattr (volume, inode, birth, name, value) VALUES (?,?,?,?,?)");
    deleteXattr = connection.prepareStatement("DELETE FROM xattr" + KEY + " AND name = ?");
    deleteXattrs = connection.prepareStatement("DELETE FROM xattr" + KEY);
  }

  /**
   * Opens the store in {@code folder}, or makes one if the folder has never had one.
   *
   * @throws OverlayException if it is missing though there was one, damaged, or of a later version
   */
  static OverlayDatabase open(Path folder) throws OverlayException {
    Path file = folder.resolve("overlay.db");
    Path marker = folder.resolve("overlay.id");
    try {
      keepDriverIn(folder);
      if (!Files.exists(file)) {
        if (Files.exists(marker)) {
          throw new OverlayException(
              file
                  + " is missing, but "
                  + marker
                  + " says that there was a store. Put the database back from a backup; or, to start"
                  + " without the owners and modes that guests had set, delete "
                  + marker);
        }
        create(file, marker);
      }
      return connect(file, marker);
    } catch (SQLException e) {
      throw damaged(file, e);
    } catch (OverlayException e) {
      throw e;
    } catch (IOException e) {
      throw new OverlayException("cannot open " + file + ": " + e.getMessage(), e);
    }
  }

  /**
   * sqlite-jdbc unpacks its native library at each start and removes it at a clean end. In our own
   * folder, not in /tmp, what a kill left there can be removed: the caller holds the folder's lock.
   */
  private static void keepDriverIn(Path folder) throws IOException {
    if (System.getProperty("org.sqlite.tmpdir") == null) {
      System.setProperty("org.sqlite.tmpdir", folder.toString());
      try (DirectoryStream<Path> left =
          Files.newDirectoryStream(folder, "sqlite-*-libsqlitejdbc.so*")) {
        for (Path file : left) {
          Files.delete(file);
        }
      }
    }
  }

  private static void create(Path file, Path marker) throws SQLException, IOException {
    String id = UUID.randomUUID().toString();
    // Made aside and moved into place, so that a crash leaves either no store or a whole one.
    Path fresh = file.resolveSibling("overlay.db.new");
    Files.deleteIfExists(fresh);
    Files.createFile(
        fresh, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try (Connection c = DriverManager.getConnection("jdbc:sqlite:" + fresh);
        Statement s = c.createStatement()) {
      s.execute("PRAGMA application_id = " + APPLICATION_ID);
      s.execute("PRAGMA user_version = " + SCHEMA_VERSION);
      for (String sql : SCHEMA) {
        s.execute(sql);
      }
      try (PreparedStatement p = c.prepareStatement("INSERT INTO store (id) VALUES (?)")) {
        p.setString(1, id);
        p.executeUpdate();
      }
    }
    Files.move(fresh, file);
    Files.writeString(marker, id + "\n");
  }

  private static OverlayDatabase connect(Path file, Path marker) throws SQLException, IOException {
    Connection c = DriverManager.getConnection("jdbc:sqlite:" + file);
    try (Statement s = c.createStatement()) {
      if (number(s, "PRAGMA application_id") != APPLICATION_ID) {
        throw new OverlayException(
            file + " is not an overlay store. Move it away, or name another folder with --state");
      }
      long version = number(s, "PRAGMA user_version");
      if (version != SCHEMA_VERSION) {
        throw new OverlayException(
            file
                + " has schema version "
                + version
                + ", this program speaks "
                + SCHEMA_VERSION
                + ". Use the release that wrote it");
      }
      // NORMAL in WAL mode: a commit is a write to the log, no fsync; sync() adds that on demand.
      s.execute("PRAGMA journal_mode = WAL");
      s.execute("PRAGMA synchronous = NORMAL");
      s.execute("PRAGMA wal_autocheckpoint = 0"); // checkpoint() does it
      s.execute("PRAGMA journal_size_limit = " + RESTARTED_BYTES);
      s.execute("PRAGMA busy_timeout = 5000");
      String id;
      try (ResultSet r = s.executeQuery("SELECT id FROM store")) {
        id = r.next() ? r.getString(1) : "";
        if (!Files.exists(marker)) {
          Files.writeString(marker, id + "\n");
        } else if (!Files.readString(marker, StandardCharsets.UTF_8).strip().equals(id)) {
          throw new OverlayException(
              file
                  + " is not the store that "
                  + marker
                  + " names; put the right one back, or delete "
                  + marker
                  + " to use this one");
        }
      }
      // Touches the log, so that it exists for the channel below.
      s.execute("BEGIN IMMEDIATE");
      s.execute("UPDATE store SET id = id");
      s.execute("COMMIT");
      // SQLite locks the database file and the -shm file, never the -wal file: closing this channel
      // cannot drop a lock of SQLite's (sqlite.org/howtocorrupt.html, 2.2).
      FileChannel log =
          FileChannel.open(
              file.resolveSibling("overlay.db-wal"),
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      c.setAutoCommit(true);
      return new OverlayDatabase(
          UUID.fromString(id), c, DriverManager.getConnection("jdbc:sqlite:" + file), log);
    } catch (SQLException | IOException | RuntimeException e) {
      c.close();
      throw e;
    }
  }

  static OverlayException damaged(Path file, SQLException e) {
    return new OverlayException(
        file
            + " cannot be read ("
            + e.getMessage()
            + "). Nothing was changed. Put a backup of it in place, or save what can be saved with"
            + " `sqlite3 overlay.db .recover`, or move overlay.* away to start without the owners and"
            + " modes that guests had set",
        e);
  }

  private static long number(Statement s, String sql) throws SQLException {
    try (ResultSet r = s.executeQuery(sql)) {
      return r.next() ? r.getLong(1) : 0;
    }
  }

  void begin() throws SQLException {
    begin.execute();
  }

  void commit() throws SQLException {
    commit.execute();
  }

  /**
   * Takes back what the open transaction did, if it is still open: after a full disk SQLite has
   * rolled back by itself. The driver has closed the statement that failed, so all are prepared
   * anew.
   */
  void rollback() throws SQLException {
    try (Statement s = connection.createStatement()) {
      s.execute("ROLLBACK");
    } catch (SQLException e) {
      if (!e.getMessage().contains("no transaction is active")) {
        throw e;
      }
    } finally {
      for (PreparedStatement old :
          List.of(
              begin,
              commit,
              select,
              selectByName,
              upsert,
              delete,
              selectXattr,
              listXattrs,
              listXattrNames,
              sumXattrs,
              upsertXattr,
              deleteXattr,
              deleteXattrs)) {
        old.close();
      }
      prepare();
    }
  }

  /** The store's own id. */
  UUID id() {
    return id;
  }

  /**
   * Moves what was committed from the log into the database if the log has grown long. Thread-safe,
   * and in nobody's way; to be called by one thread at a time.
   */
  void checkpoint() throws SQLException, IOException {
    if (log.size() > CHECKPOINT_BYTES) {
      checkpoint("PASSIVE");
    }
  }

  /** Makes the log begin anew if checkpoints alone did not; nothing can be written meanwhile. */
  void restartLog() throws SQLException, IOException {
    if (log.size() > TOO_LONG_BYTES) {
      checkpoint("RESTART");
    }
  }

  private void checkpoint(String mode) throws SQLException {
    try (Statement s = background.createStatement()) {
      s.execute("PRAGMA wal_checkpoint(" + mode + ")");
    }
  }

  /** What was committed is on the disk afterwards. Thread-safe. */
  void force() throws IOException {
    log.force(false);
  }

  OverlayRecord select(FileId id) throws SQLException {
    key(select, 1, id);
    try (ResultSet r = select.executeQuery()) {
      return r.next() ? record(r, 1) : null;
    }
  }

  static OverlayRecord record(ResultSet r, int at) throws SQLException {
    byte[] name = r.getBytes(at + 9);
    FileId parent =
        name == null ? null : new FileId(r.getInt(at + 6), r.getLong(at + 7), r.getLong(at + 8));
    return new OverlayRecord(
        id(r, at),
        id(r, at + 1),
        id(r, at + 2),
        r.getInt(at + 3),
        r.getLong(at + 4),
        r.getBoolean(at + 5),
        parent,
        name,
        r.getString(at + 10));
  }

  private static int id(ResultSet r, int at) throws SQLException {
    long value = r.getLong(at);
    return r.wasNull() ? OverlayRecord.ABSENT : (int) value;
  }

  /** The files that were last seen under this name. */
  List<FileId> selectByName(FileId parent, byte[] name) throws SQLException {
    selectByName.setLong(1, parent.inode());
    selectByName.setLong(2, parent.birth());
    selectByName.setInt(3, parent.volume());
    selectByName.setBytes(4, name);
    List<FileId> found = new ArrayList<>(1);
    try (ResultSet r = selectByName.executeQuery()) {
      while (r.next()) {
        found.add(new FileId(r.getInt(1), r.getLong(2), r.getLong(3)));
      }
    }
    return found;
  }

  void upsert(FileId id, OverlayRecord r) throws SQLException {
    key(upsert, 1, id);
    number(upsert, 4, r.uid());
    number(upsert, 5, r.gid());
    number(upsert, 6, r.mode());
    upsert.setInt(7, r.type());
    upsert.setLong(8, r.rdev());
    upsert.setBoolean(9, r.hasXattrs());
    if (r.name() == null) {
      for (int i = 10; i <= 12; i++) {
        upsert.setNull(i, Types.INTEGER);
      }
    } else {
      key(upsert, 10, r.parent());
    }
    upsert.setBytes(13, r.name());
    upsert.setString(14, r.path());
    upsert.executeUpdate();
  }

  private static void number(PreparedStatement s, int at, int value) throws SQLException {
    if (value == OverlayRecord.ABSENT) {
      s.setNull(at, Types.INTEGER);
    } else {
      s.setLong(at, Integer.toUnsignedLong(value));
    }
  }

  void delete(FileId id) throws SQLException {
    key(delete, 1, id);
    delete.executeUpdate();
  }

  void deleteXattrs(FileId id) throws SQLException {
    key(deleteXattrs, 1, id);
    deleteXattrs.executeUpdate();
  }

  byte[] selectXattr(FileId id, byte[] name) throws SQLException {
    key(selectXattr, 1, id);
    selectXattr.setBytes(4, name);
    try (ResultSet r = selectXattr.executeQuery()) {
      if (!r.next()) {
        return null;
      }
      byte[] value = r.getBytes(1);
      return value == null ? new byte[0] : value; // the driver gives null for an empty blob
    }
  }

  List<Xattr> xattrs(FileId id) throws SQLException {
    key(listXattrs, 1, id);
    List<Xattr> result = new ArrayList<>();
    try (ResultSet r = listXattrs.executeQuery()) {
      while (r.next()) {
        byte[] value = r.getBytes(2);
        result.add(new Xattr(r.getBytes(1), value == null ? new byte[0] : value));
      }
    }
    return result;
  }

  List<byte[]> xattrNames(FileId id) throws SQLException {
    key(listXattrNames, 1, id);
    List<byte[]> result = new ArrayList<>();
    try (ResultSet r = listXattrNames.executeQuery()) {
      while (r.next()) {
        result.add(r.getBytes(1));
      }
    }
    return result;
  }

  /**
   * How many extended attributes a file has.
   *
   * @param names bytes of their names as listxattr(2) gives them, each with its end
   * @param values bytes of their values
   */
  record XattrSizes(int count, long names, long values) {}

  /** Without reading the values. */
  XattrSizes xattrSizes(FileId id) throws SQLException {
    key(sumXattrs, 1, id);
    try (ResultSet r = sumXattrs.executeQuery()) {
      r.next();
      return new XattrSizes(r.getInt(1), r.getLong(2), r.getLong(3));
    }
  }

  void upsertXattr(FileId id, byte[] name, byte[] value) throws SQLException {
    key(upsertXattr, 1, id);
    upsertXattr.setBytes(4, name);
    upsertXattr.setBytes(5, value);
    upsertXattr.executeUpdate();
  }

  void deleteXattr(FileId id, byte[] name) throws SQLException {
    key(deleteXattr, 1, id);
    deleteXattr.setBytes(4, name);
    deleteXattr.executeUpdate();
  }

  int volume(String key) throws SQLException {
    try (PreparedStatement insert =
            connection.prepareStatement("INSERT OR IGNORE INTO volume (key) VALUES (?)");
        PreparedStatement find =
            connection.prepareStatement("SELECT id FROM volume WHERE key = ?")) {
      insert.setString(1, key);
      insert.executeUpdate();
      find.setString(1, key);
      try (ResultSet r = find.executeQuery()) {
        r.next();
        return r.getInt(1);
      }
    }
  }

  String volumeKey(int volume) throws SQLException {
    try (PreparedStatement s = connection.prepareStatement("SELECT key FROM volume WHERE id = ?")) {
      s.setInt(1, volume);
      try (ResultSet r = s.executeQuery()) {
        return r.next() ? r.getString(1) : "";
      }
    }
  }

  void insertRoot(String path) throws SQLException {
    try (PreparedStatement s =
        connection.prepareStatement("INSERT OR IGNORE INTO root (path) VALUES (?)")) {
      s.setString(1, path);
      s.executeUpdate();
    }
  }

  List<String> roots() throws SQLException {
    List<String> roots = new ArrayList<>();
    try (Statement s = connection.createStatement();
        ResultSet r = s.executeQuery("SELECT path FROM root ORDER BY path")) {
      while (r.next()) {
        roots.add(r.getString(1));
      }
    }
    return roots;
  }

  /** Receives each record in turn. */
  interface Visitor {
    void visit(FileId id, OverlayRecord record) throws SQLException;
  }

  /** Reads the whole table: whatever is damaged in it comes to light here. */
  void forEach(Visitor visitor) throws SQLException {
    try (Statement s = connection.createStatement();
        ResultSet r = s.executeQuery("SELECT volume, inode, birth, " + COLUMNS + " FROM node")) {
      while (r.next()) {
        visitor.visit(new FileId(r.getInt(1), r.getLong(2), r.getLong(3)), record(r, 4));
      }
    }
  }

  private static void key(PreparedStatement s, int at, FileId id) throws SQLException {
    s.setInt(at, id.volume());
    s.setLong(at + 1, id.inode());
    s.setLong(at + 2, id.birth());
  }

  @Override
  public void close() throws SQLException, IOException {
    try {
      log.force(false);
    } finally {
      log.close();
      background.close();
      connection.close();
    }
  }
}
