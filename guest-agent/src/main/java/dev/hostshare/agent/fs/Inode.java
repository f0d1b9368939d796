package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.Attr;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * A file, directory or other object of the share that the kernel knows. There is one for each that
 * it has cached, so that what few of them need is made when it is needed.
 *
 * <p>Its number at the server is a pair with the session's generation, replaced as one, so that
 * readers need no lock. Lookup counts and hints are guarded by the {@link InodeTable}.
 */
final class Inode implements Recoverable {

  /**
   * What stays the same when the server is restarted, and differs when an inode number is reused.
   */
  record Key(int volume, long ino, long btime, int btimeNsec) {
    static Key of(Attr attr) {
      return new Key(attr.getVolume(), attr.getIno(), attr.getBtime(), attr.getBtimeNsec());
    }

    @Override
    public int hashCode() {
      return hash(volume, ino, btime, btimeNsec);
    }

    private static int hash(int volume, long ino, long btime, int btimeNsec) {
      return ((Long.hashCode(ino) * 31 + Long.hashCode(btime)) * 31 + btimeNsec) * 31 + volume;
    }
  }

  /** The server's node id in one session. */
  record Binding(long generation, long node) {}

  private static final AtomicIntegerFieldUpdater<Inode> OPENS =
      AtomicIntegerFieldUpdater.newUpdater(Inode.class, "opens");

  final long id;

  // ---- as in the key ----
  private final int volume;
  final long ino;
  private final long btime;
  private final int btimeNsec;

  /** Those looked up before and after it. Guarded by the table. */
  Inode older;

  Inode newer;

  /** Guarded by the table for writing. */
  volatile Binding binding;

  /** Lookup counts that the kernel holds. Guarded by the table. */
  long lookups;

  /**
   * Lookup counts that we hold at the server, in the session of {@link #binding}. Guarded by the
   * table.
   */
  long remoteLookups;

  /** Where the object was last seen; hints for recovery, and ".." of directories. */
  volatile Inode parent;

  volatile ByteString name;

  /** The attributes last told to the kernel, and when, by {@link System#nanoTime}. */
  volatile Told told;

  volatile long toldNanos;

  /** Whether what was told holds until we hear otherwise. */
  volatile boolean kept;

  /** Whether the content was changed through us since its attributes were told. */
  volatile boolean changedByUs;

  /**
   * Whether the kernel was given pages of it (of a directory: its whole listing), and they are good
   * as far as we know.
   */
  volatile boolean hasPages;

  /** Of a directory: whether the kernel was told of the files in it by name only. */
  volatile boolean byName;

  @SuppressWarnings("unused") // through OPENS
  private volatile int opens;

  /** Operations on names in this directory, and other changes to it. Guarded by this. */
  private int begun;

  private int ended;

  /** See {@link #settled()}. */
  private volatile Attr settled;

  /** Directory offsets that were given out and are not plain cookies; null while there are none. */
  private Cookies cookies;

  /** Of a directory whose names were asked for, or changed. Guarded by {@link Folders}. */
  Folders.Activity activity;

  /** Whether an extended attribute was set through us: then it has some, whatever was told. */
  volatile boolean xattrsSet;

  private volatile PendingWrites pendingWrites;

  /** When it was last changed by us, or that began, if it ever was. */
  private volatile long changedNanos;

  private volatile boolean everChanged;

  private volatile LockLedger locks;

  Inode(long id, Key key, Binding binding) {
    this.id = id;
    this.volume = key.volume;
    this.ino = key.ino;
    this.btime = key.btime;
    this.btimeNsec = key.btimeNsec;
    this.binding = binding;
  }

  /** What stays the same of it. */
  Key key() {
    return new Key(volume, ino, btime, btimeNsec);
  }

  /** Whether {@code key} is its. */
  boolean has(Key key) {
    return ino == key.ino
        && btime == key.btime
        && btimeNsec == key.btimeNsec
        && volume == key.volume;
  }

  /** As the hash of its key. */
  int keyHash() {
    return Key.hash(volume, ino, btime, btimeNsec);
  }

  /**
   * The server's number for it, in the session that {@link #isCurrent} was asked about, or a later
   * one.
   */
  long node() {
    return binding.node();
  }

  @Override
  public PendingWrites pendingWrites() {
    return pendingWrites;
  }

  /** As {@link #pendingWrites()}, made if there is none. */
  synchronized PendingWrites takesWrites() {
    if (pendingWrites == null) {
      pendingWrites = new PendingWrites();
    }
    return pendingWrites;
  }

  /** The locks that were granted on it. */
  LockLedger locks() {
    LockLedger known = locks;
    return known == null ? LockLedger.NONE : known;
  }

  /** As {@link #locks()}, made if there are none. */
  synchronized LockLedger takesLocks() {
    if (locks == null) {
      locks = new LockLedger();
    }
    return locks;
  }

  /** The server opened it. */
  void opened() {
    OPENS.incrementAndGet(this);
  }

  /** The kernel released it. */
  void closed() {
    OPENS.decrementAndGet(this);
  }

  /** Whether it is open, from the server's reply to the kernel's release. */
  boolean isOpen() {
    return opens != 0;
  }

  /** Notes that the kernel is told {@code attr}; {@code keep}: until we hear otherwise. */
  void tell(Attr attr, boolean keep) {
    toldNanos = System.nanoTime();
    kept = keep;
    changedByUs = false;
    told = Told.of(attr);
  }

  /** What was told is no longer so. */
  void untell() {
    told = null;
    kept = false;
    hasPages = false;
    truncated();
    touch();
  }

  /** Its size was set, or may have been. */
  void truncated() {
    PendingWrites writes = pendingWrites;
    if (writes != null) {
      writes.truncated();
    }
  }

  /** Begins an operation on names in this directory; answers a ticket for {@link #settle}. */
  synchronized long unsettle() {
    changed();
    settled = null;
    return ++begun;
  }

  /**
   * Ends such an operation.
   *
   * @param ticket from {@link #unsettle}
   * @param attr the directory's attributes right after it, or null if they are not known; of no use
   *     if others like it were under way at the same time
   */
  synchronized void settle(long ticket, Attr attr) {
    changed();
    if (attr != null && ticket == begun && ticket == ended + 1) {
      tell(attr, true);
      settled = attr;
    }
    ended++;
  }

  private void changed() {
    changedNanos = System.nanoTime();
    everChanged = true;
  }

  /** Its content is changed by us. */
  void changeContent() {
    changedByUs = true;
    changed();
  }

  /**
   * Whether a reply that was asked for at {@code nanos} may have been made before a change of ours
   * that the kernel knows of.
   */
  boolean isChangedSince(long nanos) {
    return everChanged && changedNanos - nanos > 0;
  }

  /** A mark for {@link #isUntouchedSince}, or -1 while a change of ours is under way. */
  synchronized long mark() {
    return begun == ended ? begun : -1;
  }

  /** Whether no change of ours that {@link #touch} was told of began or ended since. */
  synchronized boolean isUntouchedSince(long mark) {
    return mark == begun && mark == ended;
  }

  /** Another change to its attributes begins, or has ended. */
  synchronized void touch() {
    changed();
    settled = null;
    begun++;
    ended++;
  }

  /**
   * The attributes of a directory right after the last operation of ours on its names, while
   * nothing has happened to it since; else null. The kernel drops what it knows of a directory with
   * each such operation, and asks again before the next.
   */
  Attr settled() {
    return settled;
  }

  /** The offsets of this directory's entries, which outlive an open: the kernel keeps listings. */
  synchronized Cookies cookies() {
    if (cookies == null) {
      cookies = new Cookies();
    }
    return cookies;
  }

  /**
   * Whether it is known to have no extended attribute.
   *
   * @param maxAgeNanos how old what is known may be, unless we would have heard
   */
  boolean hasNoXattrs(long maxAgeNanos) {
    Told known = told;
    return known != null
        && !known.xattrs()
        && !xattrsSet
        && (kept || System.nanoTime() - toldNanos < maxAgeNanos);
  }

  @Override
  public boolean isCurrent(long generation) {
    return binding.generation() == generation;
  }

  @Override
  public void recover(Recovery recovery, long generation)
      throws ErrnoException, InterruptedException {
    recovery.rebind(this, generation);
  }
}
