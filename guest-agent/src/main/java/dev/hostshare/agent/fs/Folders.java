package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Entries;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Survey;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Whole directories that the server told us of before the kernel asked for their names: who looks
 * one name up after the other, or tries names that are not there, is answered without the server.
 *
 * <p>A directory is surveyed when the second of its names is asked for. Each entry is handed out
 * once, with the lookup count that came with it; from then on, and when it is changed by others or
 * by us, the name is <em>unsure</em>, and the server is asked again. What is neither at hand nor
 * unsure is missing.
 *
 * <p>Thread-safe; of the other tables, the inodes' lock is taken with this one's.
 */
final class Folders {
  /** A millisecond of the server's time for every 200. */
  private static final int MAX_ENTRIES = 1024;

  /** Entries and names of all directories of all mounts, at some 400 bytes at the most. */
  static final int MAX_HELD = 32_768;

  /** Those with no names yet are some 200 bytes. */
  private static final int MAX_FOLDERS = 8192;

  /** Of each mount, however many there are: what one survey brings is to stay until it is used. */
  private static final int MIN_HELD = 2 * MAX_ENTRIES;

  private static final int MIN_FOLDERS = 512;

  /** Bytes of a directory's size for which one lookup more is awaited before it is surveyed. */
  private static final int BYTES_PER_LOOKUP = 8192;

  private static final int FIRST_LOOKUPS = 2;

  /** Lookups that an old survey could not answer, after which there is another. */
  private static final int STALE_LOOKUPS = 32;

  /** Lookups further apart are not one program's way through the directory. */
  private static final long TOGETHER_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** A directory that cannot be surveyed is tried again after so many lookups. */
  private static final int REFUSED_LOOKUPS = 1000;

  private final Core core;

  // ---- guarded by this ----
  /** By the directory's number of ours, the least recently used first. */
  private final LinkedHashMap<Long, Folder> folders = new LinkedHashMap<>(16, 0.75f, true);

  /** Entries at hand, by the server's number. */
  private final Map<Long, Place> places = new HashMap<>();

  private int held;

  private record Place(Folder folder, ByteString name) {}

  private static final class Folder {
    final Inode directory;
    final Map<ByteString, Entry> entries = new HashMap<>();
    final Set<ByteString> unsure = new HashSet<>();

    /** The session that the entries belong to; -1 while the server is being asked. */
    long generation = -1;

    long nanos;
    int misses;

    Folder(Inode directory) {
      this.directory = directory;
    }
  }

  /** What happened to the names in a directory lately. Guarded by the table. */
  static final class Activity {
    /** Names that the server was asked for. */
    private int lookupsAsked;

    /** When that was last, by {@link System#nanoTime}. */
    private long lookupNanos;

    private boolean changedByOthers;

    /** When others changed names last, by {@link System#nanoTime}. */
    private long othersNanos;
  }

  private static Activity activity(Inode directory) {
    if (directory.activity == null) {
      directory.activity = new Activity();
    }
    return directory.activity;
  }

  /** What is known of a name: where {@code entry} is null, that it is missing. */
  record Known(Entry entry) {}

  Folders(Core core) {
    this.core = core;
  }

  /** What is known of a name, or null if the server has to be asked. An entry is handed out. */
  Known find(Inode directory, ByteString name) {
    Entry old;
    long generation;
    synchronized (this) {
      Folder folder = folders.get(directory.id);
      if (folder == null || !isCurrent(folder) || folder.unsure.contains(name)) {
        return null;
      }
      Entry entry = take(folder, name);
      if (entry == null) {
        return othersAreBusy(directory) ? null : new Known(null);
      }
      generation = folder.generation;
      boolean fresh =
          entry.getAttr().getWatched() || System.nanoTime() - folder.nanos < TOGETHER_NANOS;
      // What the kernel knows under another name it knows better.
      if (fresh && core.inodes.byNode(entry.getNode(), generation) == null) {
        return new Known(entry);
      }
      old = entry;
    }
    core.giveBack(old, generation);
    return null;
  }

  /**
   * Whether others are busy in a directory. What they make next may be looked for before we are
   * told of it, so that the server has to be asked what is missing.
   */
  synchronized boolean othersAreBusy(Inode directory) {
    Activity activity = directory.activity;
    return activity != null
        && activity.changedByOthers
        && System.nanoTime() - activity.othersNanos < TOGETHER_NANOS;
  }

  private boolean isCurrent(Folder folder) {
    return folder.generation == core.session.generation();
  }

  /** Takes an entry out; the name is unsure from then on, unless it was missing. */
  private Entry take(Folder folder, ByteString name) {
    Entry entry = folder.entries.remove(name);
    if (entry != null) {
      places.remove(entry.getNode(), new Place(folder, name));
      folder.unsure.add(name);
    }
    return entry;
  }

  /** The server had to be asked for a name: surveys the directory if more names may follow. */
  void asked(Inode directory) {
    var unused = new UnusedEntries(core.session);
    boolean begins;
    synchronized (this) {
      begins = begin(directory, unused);
    }
    unused.giveBack();
    if (begins) {
      core.start(
          "survey",
          RequestContext.NONE,
          new Reply<Void>() {
            @Override
            protected void sendSuccess(Void nothing) {}

            @Override
            protected void sendError(int errno) {
              refused(directory, errno);
            }
          },
          List.of(directory),
          () ->
              ClientFrame.newBuilder()
                  .setSurvey(
                      Survey.newBuilder().setNode(directory.node()).setMaxEntries(MAX_ENTRIES)),
          (frame, asked) -> {
            arrived(directory, frame.getEntries(), asked);
            return null;
          });
    }
  }

  private boolean begin(Inode directory, UnusedEntries unused) {
    if (!core.policy.watches() || core.policy.perCaller() || othersAreBusy(directory)) {
      return false;
    }
    Folder folder = folders.get(directory.id);
    if (folder != null && folder.generation < 0) {
      return false; // it is under way
    }
    if (folder != null && isCurrent(folder)) {
      if (++folder.misses < STALE_LOOKUPS) {
        return false;
      }
    } else {
      Activity activity = activity(directory);
      long now = System.nanoTime();
      if (now - activity.lookupNanos > TOGETHER_NANOS) {
        activity.lookupsAsked = Math.min(activity.lookupsAsked, 0);
      }
      activity.lookupNanos = now;
      long size = directory.told == null ? 0 : directory.told.size();
      if (++activity.lookupsAsked < FIRST_LOOKUPS + size / BYTES_PER_LOOKUP) {
        return false;
      }
    }
    activity(directory).lookupsAsked = 0;
    drop(directory.id, unused);
    folders.put(directory.id, new Folder(directory));
    return true;
  }

  private void arrived(Inode directory, Entries entries, Asked asked) {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      Folder folder = folders.get(directory.id);
      boolean awaited =
          folder != null
              && folder.generation < 0
              && core.changes.quiet(asked.changes(), directory.node(), directory.node());
      for (DirEntry listed : entries.getEntriesList()) {
        if (awaited && isKept(folder, listed, asked)) {
          folder.entries.put(listed.getName(), listed.getEntry());
          places.put(listed.getEntry().getNode(), new Place(folder, listed.getName()));
          held++;
        } else {
          if (awaited && folder.unsure.add(listed.getName())) {
            held++;
          }
          if (listed.hasEntry()) {
            unused.add(listed.getEntry(), asked.generation());
          }
        }
      }
      if (awaited) {
        folder.generation = asked.generation();
        folder.nanos = System.nanoTime();
      } else if (folder != null && folder.generation < 0) {
        drop(directory.id, unused);
      }
      makeRoom(unused);
    }
    unused.giveBack();
  }

  private boolean isOver() {
    int mounts = Math.max(1, Core.MOUNTS.get());
    return held > Math.max(MAX_HELD / mounts, MIN_HELD)
        || folders.size() > Math.max(MAX_FOLDERS / mounts, MIN_FOLDERS);
  }

  private void makeRoom(UnusedEntries unused) {
    while (isOver()) {
      drop(folders.firstEntry().getKey(), unused);
    }
  }

  private boolean isKept(Folder folder, DirEntry listed, Asked asked) {
    Entry entry = listed.getEntry();
    return listed.hasEntry()
        && entry.getNameWatched()
        && (entry.getAttr().getWatched() || isDirectory(entry))
        && !folder.unsure.contains(listed.getName())
        // What the kernel knows we may have changed since the server looked.
        && core.inodes.byNode(entry.getNode(), asked.generation()) == null
        && core.changes.quiet(asked.changes(), entry.getNode(), entry.getNode());
  }

  private static boolean isDirectory(Entry entry) {
    return (entry.getAttr().getMode() & Linux.S_IFMT) == Linux.S_IFDIR;
  }

  private synchronized void refused(Inode directory, int errno) {
    drop(directory.id, new UnusedEntries(core.session)); // without entries yet
    activity(directory).lookupsAsked =
        errno == Errno.E2BIG || errno == Errno.EOPNOTSUPP || errno == Errno.EACCES
            ? -REFUSED_LOOKUPS
            : 0;
  }

  /** A directory was made by us, with nothing in it, and is watched. */
  void made(Inode directory, Asked asked) {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      if (!core.policy.watches()
          || core.policy.perCaller()
          || !core.changes.quiet(asked.changes(), directory.node(), directory.node())) {
        return;
      }
      var folder = new Folder(directory);
      folder.generation = asked.generation();
      folders.put(directory.id, folder);
      makeRoom(unused);
    }
    unused.giveBack();
  }

  /**
   * The server is asked again for this name from now on: what it means is being changed by us, or
   * was (to be called before the request is sent, and when its reply is there), or the kernel has
   * been told of it by another way, and changes it without our hearing of that.
   */
  void touch(Inode directory, ByteString name) {
    Entry entry;
    long generation;
    UnusedEntries unused = null;
    synchronized (this) {
      Folder folder = folders.get(directory.id);
      if (folder == null) {
        return;
      }
      generation = folder.generation;
      entry = take(folder, name);
      if (entry == null && folder.unsure.add(name)) {
        held++;
        if (isOver()) {
          unused = new UnusedEntries(core.session);
          makeRoom(unused);
        }
      }
    }
    if (entry != null) {
      core.giveBack(entry, generation);
    }
    if (unused != null) {
      unused.giveBack();
    }
  }

  /**
   * The kernel is about to be told of all of a directory: what is at hand is given back at once.
   */
  void spend(Inode directory) {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      Folder folder = folders.get(directory.id);
      if (folder == null || !isCurrent(folder)) {
        return;
      }
      for (ByteString name : List.copyOf(folder.entries.keySet())) {
        unused.add(take(folder, name), folder.generation);
      }
    }
    unused.giveBack();
  }

  /** The server told us that others changed what a name means. */
  void changed(Inode directory, ByteString name) {
    synchronized (this) {
      Activity activity = activity(directory);
      activity.othersNanos = System.nanoTime();
      activity.changedByOthers = true;
    }
    touch(directory, name);
  }

  /** The server told us of a change to a node. */
  void changed(long node) {
    Place place;
    synchronized (this) {
      place = places.get(node);
    }
    if (place != null) {
      touch(place.folder.directory, place.name);
    }
  }

  /** The kernel forgot a directory. */
  void forget(long id) {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      drop(id, unused);
    }
    unused.giveBack();
  }

  /** Nothing is known any more. */
  void clear() {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      List.copyOf(folders.keySet()).forEach(id -> drop(id, unused));
    }
    unused.giveBack();
  }

  private void drop(long id, UnusedEntries unused) {
    Folder folder = folders.remove(id);
    if (folder == null) {
      return;
    }
    held -= folder.entries.size() + folder.unsure.size();
    folder.entries.forEach(
        (name, entry) -> {
          places.remove(entry.getNode(), new Place(folder, name));
          unused.add(entry, folder.generation);
        });
  }
}
