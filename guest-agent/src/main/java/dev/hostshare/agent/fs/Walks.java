package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.Detail;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * The ways of the guest's threads through trees of directories: which ones a thread will open next,
 * and whether it looks at the files in them, or at their names alone.
 *
 * <p>A walk goes down first (find, rm, du, ls -R), and takes the directories in the order in which
 * they were listed, or in that of their names. Thread-safe; the locks of {@link Folders}, {@link
 * DirectoriesAhead} and {@link InodeTable} are taken with this one's.
 */
final class Walks {
  /** Threads that walk at the same time; of more, the one that was idle longest begins anew. */
  private static final int MAX_WALKS = 16;

  /** Directories that one walk is about; with more, the outermost are given up. */
  private static final int MAX_HELD = 2048;

  /** A number of a thread may be another thread's by then. */
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** Directories with files that are told in full before one is told by name only. */
  private static final int FIRST_IN_FULL = 2;

  /**
   * A directory of at most so many bytes, about a thousand names, is the first to be told by name
   * only: whoever does look at its files asks for each of them.
   */
  private static final long FIRST_BY_NAME_BYTES = 64 << 10;

  /** Directories opened in the order expected, after which the next are opened ahead. */
  private static final int FORESEEN = 2;

  /** So many more are opened ahead for each that was as expected, at the most {@link #WINDOW}. */
  private static final int AHEAD_PER_FORESEEN = 4;

  private static final int WINDOW = 32;

  private static final int BATCH = 16;

  /** Directories looked at to find those, some of which the kernel knows. */
  private static final int MAX_SEARCHED = 128;

  private static final Comparator<Inode> BY_NAME =
      Comparator.comparing(inode -> inode.name, ByteString.unsignedLexicographicalComparator());

  // ---- guarded by this ----
  private final LinkedHashMap<Integer, Walk> walks =
      new LinkedHashMap<>(16, 0.75f, true) {
        @java.io.Serial private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, Walk> eldest) {
          return size() > MAX_WALKS;
        }
      };

  /** The directories in one that was listed. */
  private static final class Level {
    final Inode directory;
    List<Inode> order;
    int next;

    Level(Inode directory, List<Inode> order) {
      this.directory = directory;
      this.order = order;
    }
  }

  private static final class Walk {
    /** The innermost first. */
    final ArrayDeque<Level> levels = new ArrayDeque<>();

    /** Directories in all of them. */
    int held;

    long nanos;
    boolean byName;

    /** Directories opened as expected, in a row. */
    int foreseen;

    /** Directories with files that were told in full. */
    int inFull;

    /** Files that were told by name only, and those of them that were asked for. */
    long unseen;

    long lookedAt;

    /** Whether it opened another directory after the first that was told by name only. */
    boolean judged;

    /** Whether it looks at files: then it is told of them in full. */
    boolean looks;
  }

  private Walk of(int thread) {
    long now = System.nanoTime();
    Walk walk = walks.get(thread);
    if (walk == null || now - walk.nanos > IDLE_NANOS) {
      walks.values().removeIf(idle -> now - idle.nanos > IDLE_NANOS);
      walk = new Walk();
      walks.put(thread, walk);
    }
    walk.nanos = now;
    return walk;
  }

  /**
   * A thread opens a directory to read it.
   *
   * @param thread as in {@link RequestContext#thread}; of 0 nothing is known
   * @return what it is to be told of the entries
   */
  synchronized Detail opens(int thread, Inode directory) {
    if (thread == 0) {
      return Detail.ATTRIBUTES;
    }
    Walk walk = of(thread);
    advance(walk, directory);
    if (walk.unseen > 0) {
      walk.judged = true;
      walk.looks |= 2 * walk.lookedAt >= walk.unseen;
    }
    if (walk.looks || walk.inFull < FIRST_IN_FULL) {
      return Detail.ATTRIBUTES;
    }
    if (walk.unseen == 0
        && (directory.told == null || directory.told.size() > FIRST_BY_NAME_BYTES)) {
      return Detail.ATTRIBUTES;
    }
    return Detail.DIRECTORIES;
  }

  /** Ends all levels that {@code directory} is not directly in. */
  private static void goTo(Walk walk, Inode directory) {
    while (!walk.levels.isEmpty() && walk.levels.peek().directory != directory.parent) {
      walk.held -= walk.levels.pop().order.size();
    }
  }

  private static void advance(Walk walk, Inode directory) {
    for (Level level : walk.levels) {
      if (level.directory == directory) {
        // It is listed again, from what the kernel has of it.
        while (walk.levels.peek() != level) {
          walk.held -= walk.levels.pop().order.size();
        }
        level.next = 0;
        return;
      }
    }
    goTo(walk, directory);
    Level level = walk.levels.peek();
    if (level == null) {
      walk.foreseen = 0;
      return;
    }
    if (level.next < level.order.size() && level.order.get(level.next) == directory) {
      level.next++;
      walk.foreseen++;
      return;
    }
    if (!walk.byName) {
      List<Inode> sorted = new ArrayList<>(level.order);
      sorted.sort(BY_NAME);
      int before = level.next == 0 ? -1 : sorted.indexOf(level.order.get(level.next - 1));
      if (before + 1 < sorted.size() && sorted.get(before + 1) == directory) {
        walk.byName = true;
        level.order = sorted;
      }
    }
    int at = level.order.indexOf(directory);
    level.next = at < 0 ? level.next : at + 1;
    walk.foreseen = 0;
  }

  /**
   * A thread was told all of a directory.
   *
   * @param directories those in it, as they were listed
   * @param files other entries
   * @param detail what it was told of them
   */
  synchronized void listed(
      int thread, Inode directory, List<Inode> directories, int files, Detail detail) {
    if (thread == 0) {
      return;
    }
    Walk walk = of(thread);
    if (files > 0 && detail == Detail.ATTRIBUTES) {
      walk.inFull++;
    } else if (detail == Detail.DIRECTORIES) {
      walk.unseen += files;
    }
    goTo(walk, directory);
    if (directories.isEmpty()) {
      return;
    }
    List<Inode> order = new ArrayList<>(directories);
    if (walk.byName) {
      order.sort(BY_NAME);
    }
    walk.levels.push(new Level(directory, order));
    walk.held += order.size();
    while (walk.held > MAX_HELD && walk.levels.size() > 1) {
      walk.held -= walk.levels.removeLast().order.size();
    }
  }

  /** A thread asked for a file that was told by name only. */
  synchronized void lookedAt(int thread) {
    Walk walk = walks.get(thread);
    if (walk != null) {
      walk.lookedAt++;
    }
  }

  /**
   * The directories that are to be opened ahead for a thread now, if any.
   *
   * @param useless those that need not be: the kernel has the listing, say
   * @param asked those that were opened ahead already
   */
  synchronized List<Inode> next(int thread, Predicate<Inode> useless, Predicate<Inode> asked) {
    Walk walk = thread == 0 ? null : walks.get(thread);
    if (walk == null || walk.foreseen < FORESEEN || isOnTrial(walk)) {
      return List.of();
    }
    int window = Math.min(WINDOW, AHEAD_PER_FORESEEN * walk.foreseen);
    List<Inode> next = new ArrayList<>();
    int searched = 0;
    int lead = 0;
    for (Level level : walk.levels) {
      for (int i = level.next; i < level.order.size(); i++) {
        if (++searched > MAX_SEARCHED || next.size() == BATCH || lead + next.size() == window) {
          return next;
        }
        Inode inode = level.order.get(i);
        if (useless.test(inode)) {
          continue;
        }
        if (!asked.test(inode)) {
          next.add(inode);
        } else if (next.isEmpty() && ++lead > window / 2) {
          return List.of(); // half a window at a time: one request for many
        }
      }
    }
    return next;
  }

  /** Whether it is not yet known if it looks at the files that it is told of by name only. */
  private static boolean isOnTrial(Walk walk) {
    return walk.inFull >= FIRST_IN_FULL && !walk.judged;
  }
}
