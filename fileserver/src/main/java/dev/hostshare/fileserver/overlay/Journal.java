package dev.hostshare.fileserver.overlay;

import dev.hostshare.fileserver.host.FileId;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The changes that the database may not have yet, in the order in which they were made: {@code
 * overlay.journal} in the state folder, and while its content is being secured in the database
 * {@code overlay.journal.old}. Each change says what is there after it, so that making it again
 * does no harm.
 *
 * <p>A file begins with "hsoj", its version and the id of its store; each entry with its length and
 * CRC-32C. What is cut off at its end, by a crash of the machine, was never {@linkplain #force
 * forced} and is dropped.
 *
 * <p>{@link #append}, {@link #undo} and {@link #rotate} exclude one another by the store's lock;
 * {@link #force} may be called by anyone.
 */
final class Journal implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Journal.class);

  private static final int MAGIC = 0x68736f6a; // "hsoj"
  private static final int VERSION = 1;
  private static final int HEADER = 24;

  /** Length and checksum. */
  private static final int FRAME = 8;

  private static final byte GONE = 0;
  private static final byte RECORD = 1;
  private static final byte XATTR = 2;
  private static final byte XATTRS_GONE = 3;

  /** All of a change but names, path and value. */
  private static final int FIXED = 74;

  /** What changed. */
  sealed interface Change {
    FileId id();
  }

  /** A record; void if it is gone. */
  record RecordIs(FileId id, OverlayRecord after) implements Change {}

  /** An extended attribute; its value is null if it is gone. */
  record XattrIs(FileId id, byte[] name, byte[] value) implements Change {}

  /** All extended attributes of a file are gone. */
  record XattrsGone(FileId id) implements Change {}

  /** One file of the journal. */
  private static final class Segment {
    private final RandomAccessFile file;

    /** Changed by {@link #rotate}. */
    private volatile Path path;

    /** Only written with the store's lock. */
    private volatile long end;

    private volatile boolean dirty;

    /** What failed may still be behind the end, and must not be read as a change one day. */
    private boolean mustBeCut;

    /** Guarded by this. */
    private boolean closed;

    /** What it has may not be on the disk. */
    private Segment(Path path, RandomAccessFile file, long end) {
      this.path = path;
      this.file = file;
      this.end = end;
      this.dirty = true;
    }

    /** Whoever finds it not dirty must not return before another's fsync(2) has. */
    synchronized void force() throws IOException {
      if (!dirty || closed) {
        return;
      }
      dirty = false;
      try {
        file.getFD().sync();
      } catch (IOException e) {
        dirty = true;
        throw e;
      }
    }

    synchronized void close() throws IOException {
      closed = true;
      file.close();
    }
  }

  private final Path folder;
  private final UUID store;
  private ByteBuffer buffer = ByteBuffer.allocate(4096);

  // ---- changed with the store's lock held, and by one thread at a time ----
  private volatile Segment current;
  private volatile Segment old;

  private Journal(Path folder, UUID store) {
    this.folder = folder;
    this.store = store;
  }

  /**
   * Opens the journal, or makes one.
   *
   * @param store the id of the store that it has to be of: another one's is set aside
   * @param changes receives what it has, the oldest first
   */
  static Journal open(Path folder, UUID store, List<Change> changes) throws IOException {
    Journal journal = new Journal(folder, store);
    journal.old = journal.read(journal.aside(), changes);
    Segment last = journal.read(journal.path(), changes);
    journal.current = last == null ? journal.make() : last;
    return journal;
  }

  private Path path() {
    return folder.resolve("overlay.journal");
  }

  private Path aside() {
    return folder.resolve("overlay.journal.old");
  }

  private Segment make() throws IOException {
    Path path = path();
    Files.deleteIfExists(path);
    Files.createFile(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
    try {
      file.write(
          ByteBuffer.allocate(HEADER)
              .putInt(MAGIC)
              .putInt(VERSION)
              .putLong(store.getMostSignificantBits())
              .putLong(store.getLeastSignificantBits())
              .array());
      file.getFD().sync();
      forceFolder();
    } catch (IOException e) {
      file.close();
      throw e;
    }
    return new Segment(path, file, HEADER);
  }

  /** The names in it are on the disk when this returns. */
  private void forceFolder() throws IOException {
    try (FileChannel names = FileChannel.open(folder)) {
      names.force(true);
    }
  }

  /** Null if there is none. */
  private Segment read(Path path, List<Change> changes) throws IOException {
    if (!Files.exists(path)) {
      return null;
    }
    ByteBuffer content = ByteBuffer.wrap(Files.readAllBytes(path));
    if (content.remaining() < HEADER) {
      Files.delete(path); // the machine stopped while it was made
      return null;
    }
    int magic = content.getInt();
    int version = content.getInt();
    if (magic != MAGIC || version != VERSION) {
      throw new OverlayException(
          "%s is not a journal that this program can read (%s). Use the release that wrote it, or move it away to go on without the last changes that guests made to owners and modes"
              .formatted(path, magic == MAGIC ? "version " + version : "no journal at all"));
    }
    if (!new UUID(content.getLong(), content.getLong()).equals(store)) {
      Path other = path.resolveSibling(path.getFileName() + ".other-store");
      log.warn("{} belongs to another store: it is kept as {}", path, other);
      Files.move(path, other, StandardCopyOption.REPLACE_EXISTING);
      return null;
    }
    long end = HEADER;
    while (readEntry(content, changes)) {
      end = content.position();
    }
    Segment read = new Segment(path, new RandomAccessFile(path.toFile(), "rw"), end);
    if (end < content.capacity()) {
      log.warn("{}: {} bytes of an unfinished change at its end", path, content.capacity() - end);
      cut(read);
    }
    return read;
  }

  /** One entry, all of whose changes were made at once; false if none is left that is whole. */
  private static boolean readEntry(ByteBuffer content, List<Change> changes) {
    if (content.remaining() < FRAME) {
      return false;
    }
    int length = content.getInt();
    int checksum = content.getInt();
    if (length <= 0 || length > content.remaining()) {
      return false;
    }
    ByteBuffer entry = content.slice(content.position(), length);
    if (checksum(entry.duplicate()) != checksum) {
      return false;
    }
    while (entry.hasRemaining()) {
      changes.add(readChange(entry));
    }
    content.position(content.position() + length);
    return true;
  }

  private static int checksum(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static Change readChange(ByteBuffer from) {
    byte kind = from.get();
    FileId id = readId(from);
    return switch (kind) {
      case GONE -> new RecordIs(id, OverlayRecord.EMPTY);
      case RECORD -> new RecordIs(id, readRecord(from));
      case XATTR -> new XattrIs(id, readBytes(from), readBytes(from));
      case XATTRS_GONE -> new XattrsGone(id);
      default -> throw new IllegalStateException("a change of kind " + kind);
    };
  }

  private static OverlayRecord readRecord(ByteBuffer from) {
    int uid = from.getInt();
    int gid = from.getInt();
    int mode = from.getInt();
    int type = from.getInt();
    long rdev = from.getLong();
    boolean xattrs = from.get() != 0;
    byte[] name = readBytes(from);
    FileId parent = name == null ? null : readId(from);
    byte[] path = readBytes(from);
    return new OverlayRecord(
        uid,
        gid,
        mode,
        type,
        rdev,
        xattrs,
        parent,
        name,
        path == null ? null : new String(path, StandardCharsets.UTF_8));
  }

  private static FileId readId(ByteBuffer from) {
    return new FileId(from.getInt(), from.getLong(), from.getLong());
  }

  private static byte[] readBytes(ByteBuffer from) {
    int length = from.getInt();
    if (length < 0) {
      return null;
    }
    byte[] bytes = new byte[length];
    from.get(bytes);
    return bytes;
  }

  /**
   * Adds changes that are made at once: in the operating system's hands when this returns.
   *
   * @return a mark for {@link #undo}
   * @throws IOException if the disk is full, say; nothing was added then
   */
  long append(List<Change> changes) throws IOException {
    buffer.clear().position(FRAME);
    for (Change change : changes) {
      put(change);
    }
    int length = buffer.position() - FRAME;
    buffer.putInt(0, length).putInt(4, checksum(buffer.slice(FRAME, length)));
    Segment to = current;
    if (to.mustBeCut) {
      cut(to);
    }
    long mark = to.end;
    try {
      to.file.seek(mark);
      to.file.write(buffer.array(), 0, FRAME + length);
    } catch (IOException e) {
      undo(mark, e);
      throw e;
    }
    to.end = mark + FRAME + length;
    to.dirty = true;
    return mark;
  }

  /** Takes back what was appended since {@code mark}: nobody was told of it. */
  void undo(long mark, Exception why) {
    Segment from = current;
    from.end = mark;
    try {
      cut(from);
    } catch (IOException e) {
      why.addSuppressed(e);
      log.error("{}: cannot take back a change that failed", from.path, e);
    }
  }

  private static void cut(Segment segment) throws IOException {
    segment.mustBeCut = true;
    segment.file.setLength(segment.end);
    segment.mustBeCut = false;
  }

  private void put(Change change) {
    switch (change) {
      case RecordIs(FileId id, OverlayRecord after) when after.isVoid() -> begin(GONE, id, 0);
      case RecordIs(FileId id, OverlayRecord after) -> put(id, after);
      case XattrIs(FileId id, byte[] name, byte[] value) -> {
        begin(XATTR, id, name.length + (value == null ? 0 : value.length));
        put(name);
        put(value);
      }
      case XattrsGone(FileId id) -> begin(XATTRS_GONE, id, 0);
    }
  }

  private void put(FileId id, OverlayRecord r) {
    byte[] path = r.path() == null ? null : r.path().getBytes(StandardCharsets.UTF_8);
    begin(RECORD, id, (r.name() == null ? 0 : r.name().length) + (path == null ? 0 : path.length));
    buffer.putInt(r.uid()).putInt(r.gid()).putInt(r.mode()).putInt(r.type()).putLong(r.rdev());
    buffer.put((byte) (r.hasXattrs() ? 1 : 0));
    put(r.name());
    if (r.name() != null) {
      put(r.parent());
    }
    put(path);
  }

  /** Makes room for a change with so many bytes of names and the like. */
  private void begin(byte kind, FileId id, int variable) {
    if (buffer.remaining() < FIXED + variable) {
      buffer = ByteBuffer.allocate(2 * (buffer.position() + FIXED + variable)).put(buffer.flip());
    }
    buffer.put(kind);
    put(id);
  }

  private void put(FileId id) {
    buffer.putInt(id.volume()).putLong(id.inode()).putLong(id.birth());
  }

  private void put(byte[] bytes) {
    buffer.putInt(bytes == null ? -1 : bytes.length);
    if (bytes != null) {
      buffer.put(bytes);
    }
  }

  /** What was appended before is on the disk when this returns. */
  void force() throws IOException {
    // In the order that rotate() does not escape: it names the old one first.
    Segment now = current;
    Segment before = old;
    if (before != null) {
      before.force();
    }
    now.force();
  }

  /** Bytes that a server would read when it starts. */
  long size() {
    Segment before = old;
    return current.end + (before == null ? 0 : before.end);
  }

  /** Begins a new file, unless there still is an old one: the database has all that it says. */
  void rotate() throws IOException {
    if (old != null) {
      return;
    }
    Segment full = current;
    Files.move(path(), aside());
    full.path = aside();
    old = full;
    try {
      current = make();
    } catch (IOException e) {
      Files.move(aside(), path(), StandardCopyOption.REPLACE_EXISTING);
      full.path = path();
      old = null;
      throw e;
    }
  }

  /** The database has on the disk what the old file says: it is not needed any more. */
  void dropOld() throws IOException {
    Segment done = old;
    if (done != null) {
      done.close();
      Files.delete(done.path);
      old = null;
    }
  }

  /** The database has on the disk all that was ever appended. */
  void delete() throws IOException {
    dropOld();
    current.close();
    Files.delete(current.path);
  }

  /** Leaves the files for the next start. */
  @Override
  public void close() throws IOException {
    Segment before = old;
    if (before != null) {
      before.close();
    }
    current.close();
  }
}
