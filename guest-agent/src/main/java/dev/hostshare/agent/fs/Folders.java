package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.remote.ReplyHandler;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Entries;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Survey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
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
 * <p>Where the directories in one are gone through in the order of their names, as make, git and
 * whoever sorts names does, the next ones are surveyed <em>ahead</em>, while the kernel does not
 * know them yet.
 *
 * <p>Thread-safe; of the other tables, the inodes' lock is taken with this one's.
 */
final class Folders {
  /** A millisecond of the server's time for every 200. */
  private static final int MAX_ENTRIES = 1024;

  /** Entries and names of all directories of all mounts, at some 400 bytes at the most. */
  static final int MAX_HELD = 32_768;

  /** Those with no names yet are some 250 bytes. */
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

  private static final Comparator<ByteString> BY_NAME =
      ByteString.unsignedLexicographicalComparator();

  /** Directories surveyed ahead of the one that is being gone through. */
  private static final int AHEAD = 2;

  /** All of them, of one mount: those of several programs. */
  private static final int MAX_AHEAD = 16;

  /** Directories that one may leave out, and still finds the next surveyed. */
  private static final int MAX_SKIPPED = AHEAD - 1;

  /** Directories gone through in their order, after which the next are surveyed ahead. */
  private static final int FORESEEN = 2;

  /** Of a directory surveyed ahead: 2 ms of the server's time at the most for nothing. */
  private static final int MAX_AHEAD_ENTRIES = 400;

  /** A directory of more bytes mostly has more entries than that. */
  private static final long MAX_AHEAD_BYTES = 16 << 10;

  /** One for that many of its names at the least is looked at, or it was surveyed for nothing. */
  private static final int NAMES_PER_USED = 4;

  /** So many directories more have to be gone through in their order then. */
  private static final int WASTED = 16;

  private final Core core;

  // ---- guarded by this ----
  /** By the directory's number of ours, the least recently used first. */
  private final LinkedHashMap<Long, Folder> folders = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * Those that the kernel does not know, by the directory's number at the server, the oldest first.
   */
  private final LinkedHashMap<Long, Folder> ahead = new LinkedHashMap<>();

  /** Entries at hand, by the server's number. */
  private final Map<Long, Place> places = new HashMap<>();

  private int held;

  private record Place(Folder folder, ByteString name) {}

  private static final class Folder {
    /** Null while it is one of those ahead. */
    Inode directory;

    /** Of those ahead: the server's number for it, and in which session. */
    final long node;

    final long askedGeneration;

    /** The directory that it is in, of those ahead; null when the kernel knows it. */
    Folder above;

    final Map<ByteString, Entry> entries = new HashMap<>();
    final Set<ByteString> unsure = new HashSet<>();

    /** The session that the entries belong to; -1 while the server is being asked. */
    long generation = -1;

    long nanos;
    int misses;

    /** Whether it is in no table any more. */
    boolean dropped;

    /** Names that came, and those handed out since. */
    int told;

    int used;

    /** The names of the directories in it, in their order; null if there are next to none. */
    ByteString[] directories;

    /** How many of them were gone through, in a row, in their order; below 0 for a penalty. */
    int foreseen;

    /** Which of them was last; -1 before the first. */
    int last = -1;

    /** What is known of that one; null if nothing was when it was gone through. */
    Folder before;

    /** One that the kernel knows. */
    Folder(Inode directory) {
      this.directory = directory;
      this.node = 0;
      this.askedGeneration = -1;
    }

    /** One of those ahead. */
    Folder(long node, Folder above) {
      this.node = node;
      this.askedGeneration = above.generation;
      this.above = above;
    }

    boolean cameAhead() {
      return node != 0;
    }

    boolean isWasted() {
      return cameAhead() && used < told / NAMES_PER_USED;
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
    Entry entry;
    long generation;
    boolean good;
    boolean goesOn;
    synchronized (this) {
      Folder folder = folders.get(directory.id);
      if (folder == null || !isCurrent(folder) || folder.unsure.contains(name)) {
        return null;
      }
      entry = take(folder, name);
      if (entry == null) {
        return othersAreBusy(directory) ? null : new Known(null);
      }
      generation = folder.generation;
      boolean fresh =
          entry.getAttr().getWatched() || System.nanoTime() - folder.nanos < TOGETHER_NANOS;
      // What the kernel knows under another name it knows better.
      good = fresh && core.inodes.byNode(entry.getNode(), generation) == null;
      goesOn = folder.cameAhead() && ++folder.used == FIRST_LOOKUPS;
    }
    if (goesOn) {
      goAhead(directory);
    }
    if (good) {
      return new Known(entry);
    }
    core.giveBack(entry, generation); // what was told ahead of it goes, too
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
    Folder begun;
    synchronized (this) {
      begun = begin(directory, unused);
    }
    unused.giveBack();
    if (begun == null) {
      return;
    }
    core.start(
        "survey",
        RequestContext.NONE,
        new Reply<Void>() {
          @Override
          protected void sendSuccess(Void nothing) {}

          @Override
          protected void sendError(int errno) {
            refused(begun, errno);
          }
        },
        List.of(directory),
        () -> survey(directory.node(), MAX_ENTRIES),
        (frame, asked) -> {
          arrived(begun, directory.node(), frame.getEntries(), asked);
          return null;
        });
    goAhead(directory);
  }

  private static ClientFrame.Builder survey(long node, int maxEntries) {
    return ClientFrame.newBuilder()
        .setSurvey(Survey.newBuilder().setNode(node).setMaxEntries(maxEntries));
  }

  /** What is under way from now on; null if nothing is to be. */
  private Folder begin(Inode directory, UnusedEntries unused) {
    if (!core.policy.watches() || core.policy.perCaller() || othersAreBusy(directory)) {
      return null;
    }
    Folder folder = folders.get(directory.id);
    if (folder != null && folder.generation < 0) {
      return null; // it is under way
    }
    if (folder != null && isCurrent(folder)) {
      if (++folder.misses < STALE_LOOKUPS) {
        return null;
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
        return null;
      }
    }
    activity(directory).lookupsAsked = 0;
    drop(directory.id, unused);
    var begun = new Folder(directory);
    folders.put(directory.id, begun);
    return begun;
  }

  /**
   * Surveys what comes after a directory that is being gone through, if the directories beside it
   * are gone through in their order.
   */
  private void goAhead(Inode directory) {
    var unused = new UnusedEntries(core.session);
    List<Folder> next;
    synchronized (this) {
      Inode parent = directory.parent;
      Folder above = parent == null ? null : folders.get(parent.id);
      if (above == null || !isCurrent(above) || above.directories == null) {
        return;
      }
      next = next(above, directory.name, folders.get(directory.id));
      while (ahead.size() > MAX_AHEAD) {
        drop(ahead.firstEntry().getValue(), unused);
      }
    }
    unused.giveBack();
    next.forEach(this::surveyAhead);
  }

  /** Adds those that are to be surveyed, now that {@code name} is gone through. */
  private List<Folder> next(Folder above, ByteString name, Folder now) {
    int at = Arrays.binarySearch(above.directories, name, BY_NAME);
    if (at < 0 || at == above.last) {
      return List.of();
    }
    int skipped = at - above.last - 1;
    if (above.before != null && above.before.isWasted()) {
      above.foreseen = -WASTED;
    } else {
      boolean inOrder = skipped >= 0 && skipped <= MAX_SKIPPED;
      above.foreseen = inOrder ? above.foreseen + 1 : Math.min(above.foreseen, 0);
    }
    above.before = now;
    above.last = at;
    if (above.foreseen < FORESEEN) {
      return List.of();
    }
    List<Folder> next = new ArrayList<>(AHEAD);
    int end = Math.min(at + 1 + AHEAD, above.directories.length);
    for (ByteString following : Arrays.asList(above.directories).subList(at + 1, end)) {
      Entry entry = above.entries.get(following);
      if (entry != null
          && entry.getAttr().getSize() <= MAX_AHEAD_BYTES
          && !ahead.containsKey(entry.getNode())
          && core.inodes.byNode(entry.getNode(), above.generation) == null) {
        var folder = new Folder(entry.getNode(), above);
        ahead.put(folder.node, folder);
        next.add(folder);
      }
    }
    return next;
  }

  private void surveyAhead(Folder folder) {
    var asked = new Asked(folder.askedGeneration, core.changes.count(), System.nanoTime());
    core.statistics.requests.incrementAndGet();
    var _ =
        core.session.call(
            folder.askedGeneration,
            survey(folder.node, MAX_AHEAD_ENTRIES),
            new ReplyHandler() {
              @Override
              public void onReply(ServerFrame frame) {
                if (frame.getErrno() == 0) {
                  arrived(folder, folder.node, frame.getEntries(), asked);
                } else {
                  refused(folder, frame.getErrno());
                }
              }

              @Override
              public void onLost(boolean sent) {
                refused(folder, Errno.EIO);
              }

              @Override
              public void onAbandoned(int errno) {
                refused(folder, errno);
              }
            });
  }

  /** The kernel is about to know a directory: what was told of it ahead is its from now on. */
  void entered(Inode directory, Entry entry, long generation) {
    if (!isDirectory(entry)) {
      return;
    }
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      Folder folder = ahead.remove(entry.getNode());
      if (folder == null) {
        return;
      }
      folder.directory = directory;
      folder.above = null;
      if (folders.containsKey(directory.id) || folder.askedGeneration != generation) {
        drop(folder, unused);
      } else {
        folders.put(directory.id, folder);
        makeRoom(unused);
      }
    }
    unused.giveBack();
  }

  private void arrived(Folder folder, long node, Entries entries, Asked asked) {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      boolean awaited =
          !folder.dropped
              && folder.generation < 0
              && core.changes.quiet(asked.changes(), node, node);
      List<ByteString> directories = new ArrayList<>();
      for (DirEntry listed : entries.getEntriesList()) {
        if (listed.getType() == Linux.S_IFDIR) {
          directories.add(listed.getName());
        }
        if (awaited
            && isKept(folder, listed, asked)
            && folder.entries.putIfAbsent(listed.getName(), listed.getEntry()) == null) {
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
        folder.nanos = asked.nanos();
        folder.told = folder.entries.size();
        begins(folder, directories);
        if (folder.above != null && entries.hasDirectory()) {
          refresh(folder.above, node, entries.getDirectory());
        }
      } else if (!folder.dropped) {
        drop(folder, unused);
      }
      makeRoom(unused);
    }
    unused.giveBack();
  }

  private static void begins(Folder folder, List<ByteString> directories) {
    if (directories.size() > FORESEEN) {
      directories.sort(BY_NAME);
      folder.directories = directories.toArray(ByteString[]::new);
      // Who goes through directories in their order does so with those in them.
      folder.foreseen = folder.cameAhead() ? FORESEEN - 1 : 0;
    }
  }

  /** A directory was not watched before it was surveyed: now its attributes hold. */
  private void refresh(Folder above, long node, Attr attr) {
    Place place = places.get(node);
    if (place != null && place.folder == above) {
      above.entries.computeIfPresent(
          place.name,
          (name, entry) ->
              entry.getNode() == node ? entry.toBuilder().setAttr(attr).build() : entry);
    }
  }

  private boolean isOver() {
    int mounts = Math.max(1, Core.MOUNTS.get());
    return held > Math.max(MAX_HELD / mounts, MIN_HELD)
        || folders.size() > Math.max(MAX_FOLDERS / mounts, MIN_FOLDERS);
  }

  private void makeRoom(UnusedEntries unused) {
    while (isOver()) {
      drop((folders.isEmpty() ? ahead : folders).firstEntry().getValue(), unused);
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

  private synchronized void refused(Folder folder, int errno) {
    if (folder.dropped) {
      return;
    }
    Folder above = folder.above;
    drop(folder, new UnusedEntries(core.session)); // without entries yet
    if (folder.directory == null) {
      above.foreseen = -WASTED;
      return;
    }
    activity(folder.directory).lookupsAsked =
        (errno == Errno.E2BIG && !folder.cameAhead())
                || errno == Errno.EOPNOTSUPP
                || errno == Errno.EACCES
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
      drop(directory.id, unused);
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
    Folder folder;
    synchronized (this) {
      folder = folders.get(directory.id);
    }
    if (folder != null) {
      touch(folder, name);
    }
  }

  private void touch(Folder folder, ByteString name) {
    Entry entry;
    long generation;
    UnusedEntries unused = null;
    synchronized (this) {
      if (folder.dropped) {
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
        Entry entry = take(folder, name);
        unused.add(entry, folder.generation);
        dropAhead(entry, unused);
      }
    }
    unused.giveBack();
  }

  /**
   * The server told us that others changed what a name means, in a directory that the kernel may
   * not know. To be called before it is looked for among those that it knows.
   */
  void changedAhead(long directory, ByteString name) {
    Folder folder;
    synchronized (this) {
      folder = ahead.get(directory);
    }
    if (folder != null) {
      touch(folder, name);
    }
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
      touch(place.folder, place.name);
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

  /**
   * An entry is given back whose directory the kernel does not know of: we are not told any more of
   * what becomes of the names in it.
   */
  void givenBack(Entry entry) {
    if (!isDirectory(entry)) {
      return;
    }
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      dropAhead(entry, unused);
    }
    unused.giveBack();
  }

  private void dropAhead(Entry entry, UnusedEntries unused) {
    Folder folder = ahead.get(entry.getNode());
    if (folder != null) {
      drop(folder, unused);
    }
  }

  /** Nothing is known any more. */
  void clear() {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      List.copyOf(folders.values()).forEach(folder -> drop(folder, unused));
      List.copyOf(ahead.values()).forEach(folder -> drop(folder, unused));
    }
    unused.giveBack();
  }

  private void drop(long id, UnusedEntries unused) {
    Folder folder = folders.get(id);
    if (folder != null) {
      drop(folder, unused);
    }
  }

  private void drop(Folder folder, UnusedEntries unused) {
    if (folder.dropped) {
      return;
    }
    if (folder.directory == null) {
      ahead.remove(folder.node, folder);
    } else {
      folders.remove(folder.directory.id, folder);
    }
    folder.dropped = true;
    held -= folder.entries.size() + folder.unsure.size();
    List<Entry> entries = List.copyOf(folder.entries.values());
    folder.entries.forEach(
        (name, entry) -> places.remove(entry.getNode(), new Place(folder, name)));
    folder.entries.clear();
    folder.unsure.clear();
    folder.above = null;
    folder.before = null;
    folder.directories = null;
    for (Entry entry : entries) {
      unused.add(entry, folder.generation);
      dropAhead(entry, unused);
    }
  }
}
