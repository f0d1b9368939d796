package dev.hostshare.fileserver.overlay;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import com.google.common.util.concurrent.Uninterruptibles;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * The overlay metadata store; see the package's manual. A file without a record costs one probe of
 * an in-memory set.
 *
 * <p>Errors: ENOSPC and EDQUOT when the state folder's disk is full, EIO when the database fails. A
 * change that failed has changed nothing.
 */
public final class OverlayStore implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(OverlayStore.class);

  /**
   * Some 60,000 records with paths of 80 bytes. A query takes 20 µs, a third of a stat with cold
   * caches.
   */
  private static final long HOT_BYTES = 15 << 20;

  /**
   * Each of the sets of hashes: 4 MiB with the default memory, exact for 349,000 records, and right
   * in 99 of 100 cases for three million.
   */
  private static final long SET_BYTES = Runtime.getRuntime().maxMemory() / 24;

  /**
   * Values of one file. ext4 has a block of 4 KiB for names and values, XFS no limit (xattr(7)).
   */
  private static final int MAX_XATTR_BYTES = 1 << 20;

  /** With less than a page of SQLite's shared memory left, a disk is full. */
  private static final long FULL_DISK_BYTES = 32 << 10;

  /** Records that are written to the database together, while nobody else can change any. */
  private static final int SLICE = 32;

  /**
   * Changes gather for so long, or until they are so many: what is changed again is written once.
   */
  private static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private static final int MANY = 1024;

  /** With so many that the database does not take, its disk full, say, no more changes are made. */
  private static final int TOO_MANY = 100_000;

  /** A database that failed is tried again after this. */
  private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** 8 MiB: what a server that was killed reads again when it starts. */
  private static final long JOURNAL_BYTES = 8 << 20;

  private record Name(FileId parent, ByteBuffer name) {
    static Name of(OverlayRecord record) {
      return new Name(record.parent(), ByteBuffer.wrap(record.name()));
    }
  }

  private final Path file;
  private final OverlayDatabase database;
  private final Journal journal;
  private final LongSet ids = new LongSet(SET_BYTES);
  private final LongSet names = new LongSet(SET_BYTES);
  private final LongSet specials = new LongSet(SET_BYTES);
  private final Cache<FileId, OverlayRecord> hot =
      CacheBuilder.newBuilder()
          .maximumWeight(HOT_BYTES)
          .weigher((FileId id, OverlayRecord record) -> record.weight())
          .build();

  /** Fair, so that who changes a record does not wait for all that is being written back. */
  private final ReentrantLock lock = new ReentrantLock(true);

  private final Condition work = lock.newCondition();
  private final Thread writer = Thread.ofPlatform().name("overlay").daemon().unstarted(this::write);

  // ---- guarded by the lock ----

  /** Records that the journal has and the database has not, the oldest first; void if gone. */
  private final LinkedHashMap<FileId, OverlayRecord> fresh = new LinkedHashMap<>();

  private final Map<Name, FileId> freshNames = new HashMap<>();
  private boolean closing;

  /** Files that have a record. */
  private final AtomicInteger size = new AtomicInteger();

  /** What the database alone has may not be on the disk. */
  private volatile boolean dirty = true;

  private final Object forcing = new Object();

  private OverlayStore(Path file, OverlayDatabase database, Journal journal) {
    this.file = file;
    this.database = database;
    this.journal = journal;
  }

  /**
   * Opens the store in the state folder, or makes one if the folder has never had one. Reads every
   * record once (a million in some seconds), so damage is found now.
   *
   * @throws OverlayException with what to do, if it cannot be used
   */
  public static OverlayStore open(Path folder) throws OverlayException {
    Path file = folder.resolve("overlay.db");
    OverlayDatabase database = OverlayDatabase.open(folder);
    Journal journal = null;
    try {
      List<Journal.Change> changes = new ArrayList<>();
      journal = Journal.open(folder, database.id(), changes);
      OverlayStore store = new OverlayStore(file, database, journal);
      AtomicLong bytes = new AtomicLong();
      database.forEach(
          (id, r) -> {
            store.size.incrementAndGet();
            store.added(id, r);
            if (bytes.addAndGet(r.weight()) <= HOT_BYTES) {
              store.hot.put(id, r);
            }
          });
      store.lock.lock();
      try {
        store.redo(changes);
      } finally {
        store.lock.unlock();
      }
      store.writer.start();
      return store;
    } catch (SQLException e) {
      closeAfter(e, journal, database);
      throw OverlayDatabase.damaged(file, e);
    } catch (OverlayException e) {
      closeAfter(e, journal, database);
      throw e;
    } catch (IOException e) {
      closeAfter(e, journal, database);
      throw new OverlayException("cannot open the journal of " + file + ": " + e.getMessage(), e);
    }
  }

  private static void closeAfter(Exception cause, AutoCloseable... opened) {
    for (AutoCloseable one : opened) {
      try {
        if (one != null) {
          one.close();
        }
      } catch (Exception e) {
        cause.addSuppressed(e);
      }
    }
  }

  /** Takes in what the journal has: of each record the last change counts. */
  private void redo(List<Journal.Change> changes) throws SQLException {
    if (changes.isEmpty()) {
      return;
    }
    Map<FileId, OverlayRecord> last = new LinkedHashMap<>();
    database.begin();
    for (Journal.Change change : changes) {
      switch (change) {
        case Journal.RecordIs(FileId id, OverlayRecord after) -> last.put(id, after);
        case Journal.XattrIs(FileId id, byte[] name, byte[] value) -> setXattr(id, name, value);
        case Journal.XattrsGone(FileId id) -> database.deleteXattrs(id);
      }
    }
    // All the names that were, before those that are now: one may have gone from file to file.
    Set<FileId> had = new HashSet<>();
    for (FileId id : last.keySet()) {
      OverlayRecord r = database.select(id);
      if (r != null) {
        had.add(id);
        if (r.name() != null) {
          names.remove(r.parent().hash64(r.name()));
        }
      }
    }
    database.commit();
    OverlayRecord one = OverlayRecord.EMPTY.withXattrs(true);
    last.forEach((id, r) -> publish(id, had.contains(id) ? one : OverlayRecord.EMPTY, r));
    log.info("{}: {} records are taken in from the journal", file, last.size());
  }

  private void setXattr(FileId id, byte[] name, byte[] value) throws SQLException {
    if (value == null) {
      database.deleteXattr(id, name);
    } else {
      database.upsertXattr(id, name, value);
    }
  }

  /** The store's number for a file system; a new one if it was never seen. */
  public int volume(String key) throws ErrnoException {
    return query(
        () -> {
          int volume = database.volume(key);
          dirty = true;
          return volume;
        });
  }

  public String volumeKey(int volume) throws ErrnoException {
    return query(() -> database.volumeKey(volume));
  }

  /**
   * Notes which folders are shared: where {@code overlay verify} looks for the files of records.
   */
  public void rememberRoots(List<String> paths) throws OverlayException {
    lock.lock();
    try {
      for (String path : paths) {
        database.insertRoot(path);
      }
      dirty = true;
    } catch (SQLException e) {
      throw new OverlayException(file + ": " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  /** Every folder that was ever shared. */
  public List<String> roots() throws ErrnoException {
    return query(() -> database.roots());
  }

  /** Bytes of the store's files on the disk. */
  public long bytes() {
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(file.getParent(), file.getFileName() + "*")) {
      long sum = 0;
      for (Path each : files) {
        sum += each.toFile().length();
      }
      return sum;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file's record, or null. */
  public OverlayRecord get(FileId id) throws ErrnoException {
    if (!ids.mayContain(id.hash64())) {
      return null;
    }
    OverlayRecord known = hot.getIfPresent(id);
    if (known != null) {
      return known;
    }
    return query(() -> current(id));
  }

  /** The record as it is now, or null; under the lock. */
  private OverlayRecord current(FileId id) throws SQLException {
    OverlayRecord changed = fresh.get(id);
    if (changed != null) {
      return changed.isVoid() ? null : changed;
    }
    if (!ids.mayContain(id.hash64())) {
      return null;
    }
    OverlayRecord known = hot.getIfPresent(id);
    if (known == null) {
      known = database.select(id);
      if (known != null) {
        hot.put(id, known);
      }
    }
    return known;
  }

  /**
   * Applies a change to the file's record and makes one if there is none.
   *
   * @param place where the file is, or null to leave the record's place as it is
   * @return the record after the change
   * @throws ErrnoException EEXIST or ENODATA as setxattr(2)
   */
  public OverlayRecord change(FileId id, Place place, RecordChange change) throws ErrnoException {
    return commit(tx -> tx.change(id, place, change));
  }

  /** Notes that a file with a record is now to be found elsewhere; does nothing for one without. */
  public void moved(FileId id, Place place) throws ErrnoException {
    OverlayRecord known = get(id);
    if (known == null || isAt(known, place)) {
      return;
    }
    commit(
        tx -> {
          OverlayRecord r = tx.load(id);
          if (r != null) {
            tx.put(id, r, r.seenAt(place));
          }
          return null;
        });
  }

  /**
   * Notes where the file of a record was found: as {@link #moved}, and its path, which is another
   * when a folder above it was renamed.
   */
  public void found(FileId id, Place place) throws ErrnoException {
    commit(
        tx -> {
          OverlayRecord r = tx.load(id);
          if (r != null && !(isAt(r, place) && Objects.equals(r.path(), r.seenAt(place).path()))) {
            tx.put(id, r, r.seenAt(place));
          }
          return null;
        });
  }

  /** Whether the record's place is this directory and name. */
  public static boolean isAt(OverlayRecord record, Place place) {
    return record.name() != null
        && record.parent().equals(place.parent())
        && Arrays.equals(record.name(), place.name());
  }

  /** Ends the file's record: the file is gone. Whether there was one. */
  public boolean remove(FileId id) throws ErrnoException {
    if (!ids.mayContain(id.hash64())) {
      return false;
    }
    return commit(
        tx -> {
          OverlayRecord r = tx.load(id);
          if (r != null) {
            tx.delete(id, r);
          }
          return r != null;
        });
  }

  /** Notes that a name was removed or taken by someone else: nobody inherits from it any more. */
  public void nameGone(FileId parent, byte[] name) throws ErrnoException {
    if (!names.mayContain(parent.hash64(name))) {
      return;
    }
    commit(
        tx -> {
          FileId id = tx.find(parent, name);
          if (id != null) {
            OverlayRecord r = tx.load(id);
            tx.put(id, r, r.nowhere());
          }
          return null;
        });
  }

  /** Whether a record may be waiting under this name: a probe, without a query; may err on yes. */
  public boolean mayHaveName(FileId parent, byte[] name) {
    return names.mayContain(parent.hash64(name));
  }

  /**
   * A regular file without a record was found under a name that another had: an editor's atomic
   * save. It gets a copy of that record, unless it was that of a special file.
   *
   * @return the record inherited, or null
   */
  public OverlayRecord inherit(FileId id, Place place) throws ErrnoException {
    if (!names.mayContain(place.parent().hash64(place.name()))) {
      return null;
    }
    return commit(
        tx -> {
          FileId old = tx.find(place.parent(), place.name());
          if (old == null || old.equals(id) || tx.load(id) != null) {
            return tx.load(id);
          }
          OverlayRecord r = tx.load(old);
          tx.put(old, r, r.nowhere());
          if (r.isSpecial()) {
            return null;
          }
          if (r.hasXattrs()) {
            for (Xattr xattr : database.xattrs(old)) {
              tx.setXattr(id, xattr.name(), xattr.value());
            }
          }
          return tx.put(id, OverlayRecord.EMPTY, r.seenAt(place));
        });
  }

  /** The value, or null if there is none. */
  public byte[] xattr(FileId id, byte[] name) throws ErrnoException {
    OverlayRecord record = get(id);
    if (record == null || !record.hasXattrs()) {
      return null;
    }
    return query(() -> database.selectXattr(id, name));
  }

  /** The names of all extended attributes. */
  public List<byte[]> xattrNames(FileId id) throws ErrnoException {
    OverlayRecord record = get(id);
    if (record == null || !record.hasXattrs()) {
      return List.of();
    }
    return query(() -> database.xattrNames(id));
  }

  public List<Xattr> xattrs(FileId id) throws ErrnoException {
    OverlayRecord record = get(id);
    if (record == null || !record.hasXattrs()) {
      return List.of();
    }
    return query(() -> database.xattrs(id));
  }

  /** The record as it is to be in the database, void if it is to be gone; null: as it is there. */
  private OverlayRecord fresh(FileId id) {
    lock.lock();
    try {
      return fresh.get(id);
    } finally {
      lock.unlock();
    }
  }

  /** Begins a listing of every record, as long as that takes: a second for 600,000. */
  public OverlayListing list() throws ErrnoException {
    query(
        () -> {
          writeBackAll();
          return null;
        });
    try {
      return new OverlayListing(file, this::fresh, this::failure);
    } catch (SQLException e) {
      log.error("a listing needs room in $SQLITE_TMPDIR, /var/tmp or /tmp, too");
      throw failure(e);
    }
  }

  /** Whether the file with this inode number may be a special one; a probe, may err on yes. */
  public boolean maybeSpecial(int volume, long inode) {
    return specials.mayContain(inodeHash(volume, inode));
  }

  private static long inodeHash(int volume, long inode) {
    return new FileId(volume, inode, 0).hash64();
  }

  /** How many files have a record. */
  public int size() {
    return size.get();
  }

  /** What was changed before is on the disk when this returns. */
  public void sync() throws ErrnoException {
    try {
      journal.force();
      forceDatabase();
    } catch (IOException e) {
      log.error("{}: fsync failed: {}", file, e.toString());
      throw ErrnoException.of(Errno.EIO);
    }
  }

  /** Whoever finds it not dirty must not return before another's fsync(2) has. */
  private void forceDatabase() throws IOException {
    synchronized (forcing) {
      if (dirty) {
        dirty = false;
        try {
          database.force();
        } catch (IOException e) {
          dirty = true;
          throw e;
        }
      }
    }
  }

  /** Leaves a database that has everything; or, if that is not to be had, the journal as well. */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      closing = true;
      work.signal();
    } finally {
      lock.unlock();
    }
    Uninterruptibles.joinUninterruptibly(writer);
    lock.lock();
    try (journal;
        database) {
      writeBackAll();
      database.force();
      journal.delete();
    } catch (SQLException e) {
      throw new OverlayException(file + ": " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
  }

  // ---- writing back ----

  /** Brings what is fresh to the database, behind those who changed it. */
  private void write() {
    boolean failing = false;
    lock.lock();
    try {
      while (!closing) {
        if (fresh.isEmpty()) {
          work.await();
          continue;
        }
        awaitUnlessMany(failing ? RETRY_NANOS : GATHER_NANOS);
        try {
          writeBackInSlices();
          tidy();
          failing = false;
        } catch (SQLException | IOException | RuntimeException e) {
          if (!failing) {
            log.error("{}: trying again every second", file, e);
          }
          failing = true;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // nobody does
    } finally {
      lock.unlock();
    }
  }

  private void awaitUnlessMany(long nanos) throws InterruptedException {
    long left = nanos;
    while (left > 0 && !closing && (fresh.size() < MANY || nanos == RETRY_NANOS)) {
      left = work.awaitNanos(left);
    }
  }

  /** All that is fresh now; between two slices whoever waits for the lock has his turn. */
  private void writeBackInSlices() throws SQLException {
    for (int left = fresh.size(); left > 0 && !fresh.isEmpty(); left -= SLICE) {
      writeBack(SLICE);
      lock.unlock();
      lock.lock();
    }
  }

  private void writeBackAll() throws SQLException {
    if (!fresh.isEmpty()) {
      writeBack(fresh.size());
    }
  }

  /** Writes the oldest of what is fresh in one transaction. */
  private void writeBack(int count) throws SQLException {
    List<FileId> written = new ArrayList<>(Math.min(count, fresh.size()));
    try {
      database.begin();
      for (Map.Entry<FileId, OverlayRecord> e : fresh.entrySet()) {
        if (written.size() == count) {
          break;
        }
        if (e.getValue().isVoid()) {
          database.delete(e.getKey());
        } else {
          database.upsert(e.getKey(), e.getValue());
        }
        written.add(e.getKey());
      }
      database.commit();
    } catch (SQLException e) {
      rollBack(e);
      throw e;
    }
    for (FileId id : written) {
      OverlayRecord r = fresh.remove(id);
      if (r.name() != null) {
        freshNames.remove(Name.of(r), id);
      }
    }
  }

  /** Keeps the journal and the database's own log short. The lock is not held meanwhile. */
  private void tidy() throws SQLException, IOException {
    boolean isLong = journal.size() > JOURNAL_BYTES;
    if (isLong) {
      writeBackAll();
      journal.rotate();
    }
    lock.unlock();
    try {
      if (isLong) {
        database.force();
        journal.dropOld();
      }
      database.checkpoint();
    } finally {
      lock.lock();
    }
    database.restartLog();
  }

  private interface Query<T> {
    T run() throws SQLException;
  }

  private <T> T query(Query<T> query) throws ErrnoException {
    lock.lock();
    try {
      return query.run();
    } catch (SQLException e) {
      rollBack(e); // no transaction is open, but the statements have to be usable again
      throw failure(e);
    } finally {
      lock.unlock();
    }
  }

  // ---- changes ----

  private interface Work<T> {
    T apply(Transaction tx) throws SQLException, ErrnoException;
  }

  /** Runs {@code work} as a whole or not at all; what it says then stays said. */
  private <T> T commit(Work<T> work) throws ErrnoException {
    lock.lock();
    try {
      if (fresh.size() >= TOO_MANY) {
        writeBackAll();
      }
      Transaction tx = new Transaction();
      try {
        T result = work.apply(tx);
        tx.commit();
        return result;
      } catch (SQLException | IOException | ErrnoException | RuntimeException e) {
        tx.rollBack(e);
        throw e;
      }
    } catch (SQLException | IOException e) {
      throw failure(e);
    } finally {
      lock.unlock();
    }
  }

  /** Notes that a record has changed, in all that is kept in memory. */
  private void publish(FileId id, OverlayRecord before, OverlayRecord after) {
    if (before.name() != null) {
      // Others look without the lock: a name that stays must not be missing for a moment.
      if (after.isVoid()
          || !Objects.equals(before.parent(), after.parent())
          || !Arrays.equals(before.name(), after.name())) {
        names.remove(before.parent().hash64(before.name()));
      }
      freshNames.remove(Name.of(before), id);
    }
    size.addAndGet((after.isVoid() ? 0 : 1) - (before.isVoid() ? 0 : 1));
    if (after.isVoid()) {
      ids.remove(id.hash64());
      hot.invalidate(id);
    } else {
      added(id, after);
      hot.put(id, after);
      if (after.name() != null) {
        freshNames.put(Name.of(after), id);
      }
    }
    fresh.put(id, after);
    if (fresh.size() == 1 || fresh.size() == MANY) {
      work.signal();
    }
  }

  private void added(FileId id, OverlayRecord r) {
    ids.add(id.hash64());
    if (r.isSpecial()) {
      specials.add(inodeHash(id.volume(), id.inode()));
    }
    if (r.name() != null) {
      names.add(r.parent().hash64(r.name()));
    }
  }

  private void rollBack(Exception why) {
    try {
      database.rollback();
    } catch (SQLException e) {
      why.addSuppressed(e);
    }
  }

  /**
   * One change of some records, and perhaps of extended attributes, which are in the database at
   * once. Nothing of it is seen by others before it is committed.
   */
  private final class Transaction {
    private record Put(FileId id, OverlayRecord before, OverlayRecord after) {}

    private final List<Put> puts = new ArrayList<>(2);

    /** In the order in which they were made. */
    private final List<Journal.Change> changes = new ArrayList<>(2);

    private boolean inDatabase;

    OverlayRecord load(FileId id) throws SQLException {
      for (Put put : puts.reversed()) {
        if (put.id.equals(id)) {
          return put.after.isVoid() ? null : put.after;
        }
      }
      return current(id);
    }

    /** The file that was last seen under this name, or null. */
    FileId find(FileId parent, byte[] name) throws SQLException {
      for (Put put : puts) {
        if (isUnder(put.id, parent, name)) {
          return put.id;
        }
      }
      FileId changed = freshNames.get(new Name(parent, ByteBuffer.wrap(name)));
      if (changed != null) {
        return isUnder(changed, parent, name) ? changed : null;
      }
      if (names.mayContain(parent.hash64(name))) {
        for (FileId id : database.selectByName(parent, name)) {
          if (isUnder(id, parent, name)) {
            return id;
          }
        }
      }
      return null;
    }

    private boolean isUnder(FileId id, FileId parent, byte[] name) throws SQLException {
      OverlayRecord r = load(id);
      return r != null
          && r.name() != null
          && r.parent().equals(parent)
          && Arrays.equals(r.name(), name);
    }

    /** Sets an extended attribute, or removes it if the value is null. */
    void setXattr(FileId id, byte[] name, byte[] value) throws SQLException {
      beginDatabase();
      OverlayStore.this.setXattr(id, name, value);
      changes.add(new Journal.XattrIs(id, name, value));
    }

    private void deleteXattrs(FileId id) throws SQLException {
      beginDatabase();
      database.deleteXattrs(id);
      changes.add(new Journal.XattrsGone(id));
    }

    private void beginDatabase() throws SQLException {
      if (!inDatabase) {
        inDatabase = true;
        database.begin();
      }
    }

    OverlayRecord put(FileId id, OverlayRecord before, OverlayRecord after) throws SQLException {
      if (after.isVoid()) {
        delete(id, before);
        return null;
      }
      if (after.name() != null
          && (!after.parent().equals(before.parent())
              || !Arrays.equals(after.name(), before.name()))) {
        FileId other = find(after.parent(), after.name());
        if (other != null && !other.equals(id)) {
          OverlayRecord r = load(other);
          put(other, r, r.nowhere());
        }
      }
      add(id, before, after);
      return after;
    }

    void delete(FileId id, OverlayRecord before) throws SQLException {
      if (before.hasXattrs()) {
        deleteXattrs(id);
      }
      add(id, before, OverlayRecord.EMPTY);
    }

    private void add(FileId id, OverlayRecord before, OverlayRecord after) {
      puts.add(new Put(id, before, after));
      changes.add(new Journal.RecordIs(id, after));
    }

    OverlayRecord change(FileId id, Place place, RecordChange change)
        throws SQLException, ErrnoException {
      OverlayRecord found = load(id);
      OverlayRecord before = found == null ? OverlayRecord.EMPTY : found;
      for (RecordChange.XattrChange x : change.xattrs()) {
        boolean exists = before.hasXattrs() && database.selectXattr(id, x.name()) != null;
        if (exists && (x.flags() & Linux.XATTR_CREATE) != 0) {
          throw ErrnoException.of(Errno.EEXIST);
        }
        if (!exists && (x.flags() & Linux.XATTR_REPLACE) != 0) {
          throw ErrnoException.of(Errno.ENODATA);
        }
      }
      for (RecordChange.XattrChange x : change.xattrs()) {
        setXattr(id, x.name(), x.value());
      }
      OverlayRecord after = change.applyTo(before).seenAt(place);
      if (!change.xattrs().isEmpty()) {
        OverlayDatabase.XattrSizes sizes = database.xattrSizes(id);
        if (change.addsXattrs()
            && (sizes.names() > Linux.XATTR_LIST_MAX || sizes.values() > MAX_XATTR_BYTES)) {
          throw ErrnoException.of(Errno.ENOSPC);
        }
        after = after.withXattrs(sizes.count() > 0);
      }
      return put(id, before, after);
    }

    /** First the journal, which has all of it: what the database does not get, a restart redoes. */
    void commit() throws SQLException, IOException {
      if (!changes.isEmpty()) {
        long mark = journal.append(changes);
        try {
          commitDatabase();
        } catch (SQLException e) {
          journal.undo(mark, e);
          throw e;
        }
      }
      puts.forEach(p -> publish(p.id, p.before, p.after));
    }

    private void commitDatabase() throws SQLException {
      if (inDatabase) {
        database.commit();
        inDatabase = false;
        dirty = true;
      }
    }

    void rollBack(Exception why) {
      if (inDatabase) {
        OverlayStore.this.rollBack(why);
      }
    }
  }

  private ErrnoException failure(Exception e) {
    log.error("{}: {}", file, e.getMessage());
    return ErrnoException.of(errno(e));
  }

  private int errno(Exception e) {
    if (e instanceof IOException) {
      // strerror(3) is all that Java passes on.
      String said = String.valueOf(e.getMessage());
      if (said.contains("No space left on device")) {
        return Errno.ENOSPC;
      }
      if (said.contains("quota exceeded")) {
        return Errno.EDQUOT;
      }
    }
    int code = e instanceof SQLiteException s ? s.getResultCode().code & 0xff : 0;
    // Growing the shared-memory file on a full disk is an I/O error to SQLite.
    boolean mayBeFull = e instanceof IOException || code == SQLiteErrorCode.SQLITE_IOERR.code;
    return code == SQLiteErrorCode.SQLITE_FULL.code
            || (mayBeFull && file.toFile().getUsableSpace() < FULL_DISK_BYTES)
        ? Errno.ENOSPC
        : Errno.EIO;
  }
}
