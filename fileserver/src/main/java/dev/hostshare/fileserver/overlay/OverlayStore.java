package dev.hostshare.fileserver.overlay;

import com.google.common.cache.Cache;
import com.google.common.cache.CacheBuilder;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
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

  /** Some 200 bytes each: 13 MiB. A query takes 20 µs, a third of a stat with cold caches. */
  private static final long HOT_RECORDS = 65_536;

  /** With less than a page of SQLite's shared memory left, a disk is full. */
  private static final long FULL_DISK_BYTES = 32 << 10;

  private final Path file;
  private final OverlayDatabase database;
  private final ReentrantLock lock = new ReentrantLock();
  private final ConcurrentLinkedQueue<Pending> queue = new ConcurrentLinkedQueue<>();
  private final LongSet ids = new LongSet();
  private final LongSet names = new LongSet();
  private final LongSet specials = new LongSet();
  private final Cache<FileId, OverlayRecord> hot =
      CacheBuilder.newBuilder().maximumSize(HOT_RECORDS).build();
  private volatile boolean dirty;

  private OverlayStore(Path file, OverlayDatabase database) {
    this.file = file;
    this.database = database;
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
    OverlayStore store = new OverlayStore(file, database);
    try {
      database.forEach(
          (id, r) -> {
            store.ids.add(id.hash64());
            if (store.ids.size() <= HOT_RECORDS) {
              store.hot.put(id, r);
            }
            if (r.isSpecial()) {
              store.specials.add(inodeHash(id.volume(), id.inode()));
            }
            if (r.name() != null) {
              store.names.add(r.parent().hash64(r.name()));
            }
          });
      return store;
    } catch (SQLException e) {
      store.closeAfter(e);
      throw OverlayDatabase.damaged(file, e);
    }
  }

  private void closeAfter(Exception cause) {
    try {
      close();
    } catch (IOException e) {
      cause.addSuppressed(e);
    }
  }

  /** The store's number for a file system; a new one if it was never seen. */
  public int volume(String key) throws ErrnoException {
    return query(() -> database.volume(key));
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

  /** The file's record, or null. */
  public OverlayRecord get(FileId id) throws ErrnoException {
    if (!ids.contains(id.hash64())) {
      return null;
    }
    OverlayRecord known = hot.getIfPresent(id);
    if (known != null) {
      return known;
    }
    return query(
        () -> {
          OverlayRecord record = database.select(id);
          if (record != null) {
            hot.put(id, record);
          }
          return record;
        });
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

  /** Whether the record's place is this directory and name. */
  public static boolean isAt(OverlayRecord record, Place place) {
    return record.name() != null
        && record.parent().equals(place.parent())
        && Arrays.equals(record.name(), place.name());
  }

  /** Ends the file's record: the file is gone. */
  public void remove(FileId id) throws ErrnoException {
    if (!ids.contains(id.hash64())) {
      return;
    }
    commit(
        tx -> {
          OverlayRecord r = tx.load(id);
          if (r != null) {
            tx.delete(id, r);
          }
          return null;
        });
  }

  /** Notes that a name was removed or taken by someone else: nobody inherits from it any more. */
  public void nameGone(FileId parent, byte[] name) throws ErrnoException {
    if (!names.contains(parent.hash64(name))) {
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
    return names.contains(parent.hash64(name));
  }

  /**
   * A regular file without a record was found under a name that another had: an editor's atomic
   * save. It gets a copy of that record, unless it was that of a special file.
   *
   * @return the record inherited, or null
   */
  public OverlayRecord inherit(FileId id, Place place) throws ErrnoException {
    if (!names.contains(place.parent().hash64(place.name()))) {
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
            database.copyXattrs(old, id);
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

  public List<Xattr> xattrs(FileId id) throws ErrnoException {
    OverlayRecord record = get(id);
    if (record == null || !record.hasXattrs()) {
      return List.of();
    }
    return query(() -> database.xattrs(id));
  }

  /** A copy of every record, by path. For the command line; a million take some hundred MiB. */
  public void forEach(BiConsumer<FileId, OverlayRecord> visitor) throws ErrnoException {
    query(
        () -> {
          database.forEach(visitor::accept);
          return null;
        });
  }

  /** Whether the file with this inode number may be a special one; a probe, may err on yes. */
  public boolean maybeSpecial(int volume, long inode) {
    return specials.contains(inodeHash(volume, inode));
  }

  private static long inodeHash(int volume, long inode) {
    return new FileId(volume, inode, 0).hash64();
  }

  /** How many files have a record. */
  public int size() {
    return ids.size();
  }

  /** What was changed before is on the disk when this returns. */
  public void sync() throws ErrnoException {
    if (!dirty) {
      return;
    }
    dirty = false;
    try {
      database.force();
    } catch (IOException e) {
      dirty = true;
      log.error("{}: fsync failed: {}", file, e.toString());
      throw ErrnoException.of(Errno.EIO);
    }
  }

  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      database.close();
    } catch (SQLException e) {
      throw new OverlayException(file + ": " + e.getMessage(), e);
    } finally {
      lock.unlock();
    }
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

  // ---- group commit ----

  private interface Work<T> {
    T apply(Transaction tx) throws SQLException, ErrnoException;
  }

  private static final class Pending {
    final Work<?> work;
    Object result;
    Exception failure;
    boolean done;

    Pending(Work<?> work) {
      this.work = work;
    }
  }

  /**
   * Runs {@code work} in a transaction, together with all that queued up meanwhile. Work checks
   * before it writes: once it has written it does not throw an errno, so that one member of a batch
   * cannot spoil the others.
   */
  @SuppressWarnings("unchecked") // a Pending's result is of its own work's type
  private <T> T commit(Work<T> work) throws ErrnoException {
    Pending mine = new Pending(work);
    queue.add(mine);
    lock.lock();
    try {
      if (!mine.done) {
        List<Pending> batch = new ArrayList<>();
        for (Pending p = queue.poll(); p != null; p = queue.poll()) {
          batch.add(p);
        }
        if (!runTogether(batch)) {
          // Something failed for all: each one alone, to find out whose it is.
          for (Pending p : batch) {
            runTogether(List.of(p));
          }
        }
        batch.forEach(p -> p.done = true);
      }
    } finally {
      lock.unlock();
    }
    return switch (mine.failure) {
      case null -> (T) mine.result;
      case ErrnoException e -> throw e;
      case SQLException e -> throw failure(e);
      default -> throw new IllegalStateException(mine.failure);
    };
  }

  private boolean runTogether(List<Pending> batch) {
    Transaction tx = new Transaction();
    try {
      database.begin();
      try {
        for (Pending p : batch) {
          p.failure = null;
          try {
            p.result = p.work.apply(tx);
          } catch (ErrnoException e) {
            p.failure = e;
          }
        }
        database.commit();
      } catch (SQLException | RuntimeException e) {
        rollBack(e);
        throw e;
      }
    } catch (SQLException | RuntimeException e) {
      batch.forEach(p -> p.failure = e);
      return false;
    }
    dirty = true;
    tx.publish();
    return true;
  }

  private void rollBack(Exception why) {
    try {
      database.rollback();
    } catch (SQLException e) {
      why.addSuppressed(e);
    }
  }

  /** Under the lock: the database's changes now, those of the in-memory sets after the commit. */
  private final class Transaction {
    private final ArrayDeque<Runnable> afterCommit = new ArrayDeque<>();

    /** Whether a member of this batch has written: the sets in memory do not know of it yet. */
    private boolean written;

    OverlayRecord load(FileId id) throws SQLException {
      // Not from the hot records: an earlier member of this batch may have changed it.
      return written || ids.contains(id.hash64()) ? database.select(id) : null;
    }

    FileId find(FileId parent, byte[] name) throws SQLException {
      return written || names.contains(parent.hash64(name))
          ? database.selectByName(parent, name)
          : null;
    }

    OverlayRecord put(FileId id, OverlayRecord before, OverlayRecord after) throws SQLException {
      if (after.isVoid()) {
        delete(id, before);
        return null;
      }
      if (after.name() != null && !Arrays.equals(after.name(), before.name())) {
        FileId other = find(after.parent(), after.name());
        if (other != null && !other.equals(id)) {
          OverlayRecord r = load(other);
          put(other, r, r.nowhere());
        }
      }
      written = true;
      database.upsert(id, after);
      afterCommit.add(
          () -> {
            ids.add(id.hash64());
            if (after.isSpecial()) {
              specials.add(inodeHash(id.volume(), id.inode()));
            }
            renamed(before, after);
            hot.put(id, after);
          });
      return after;
    }

    void delete(FileId id, OverlayRecord before) throws SQLException {
      written = true;
      database.delete(id);
      if (before.hasXattrs()) {
        database.deleteXattrs(id);
      }
      afterCommit.add(
          () -> {
            ids.remove(id.hash64());
            renamed(before, OverlayRecord.EMPTY);
            hot.invalidate(id);
          });
    }

    private void renamed(OverlayRecord before, OverlayRecord after) {
      if (before.name() != null) {
        names.remove(before.parent().hash64(before.name()));
      }
      if (after.name() != null) {
        names.add(after.parent().hash64(after.name()));
      }
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
      written |= !change.xattrs().isEmpty();
      for (RecordChange.XattrChange x : change.xattrs()) {
        if (x.value() == null) {
          database.deleteXattr(id, x.name());
        } else {
          database.upsertXattr(id, x.name(), x.value());
        }
      }
      OverlayRecord after = change.applyTo(before).seenAt(place);
      if (!change.xattrs().isEmpty()) {
        after = after.withXattrs(!database.xattrs(id).isEmpty());
      }
      return put(id, before, after);
    }

    void publish() {
      afterCommit.forEach(Runnable::run);
    }
  }

  private ErrnoException failure(SQLException e) {
    log.error("{}: {}", file, e.getMessage());
    if (e instanceof SQLiteException s) {
      SQLiteErrorCode code = s.getResultCode();
      // Growing the shared-memory file on a full disk is an I/O error to SQLite.
      boolean io = (code.code & 0xff) == SQLiteErrorCode.SQLITE_IOERR.code;
      if (code == SQLiteErrorCode.SQLITE_FULL
          || (io && file.toFile().getUsableSpace() < FULL_DISK_BYTES)) {
        return ErrnoException.of(Errno.ENOSPC);
      }
    }
    return ErrnoException.of(Errno.EIO);
  }
}
