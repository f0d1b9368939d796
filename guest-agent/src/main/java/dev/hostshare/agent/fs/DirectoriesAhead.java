package dev.hostshare.agent.fs;

import dev.hostshare.agent.remote.Call;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Detail;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.OpendirAhead;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.OpenedAhead;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listings of directories that are expected to be opened next, fetched many at a time while the
 * guest reads those before them. Only what the server watches is used.
 *
 * <p>Thread-safe; the locks of an inode and of {@link Changes} are taken with this one's.
 */
final class DirectoriesAhead {
  /** Each of 16 KiB on the wire at the most: twice what is fetched ahead for one thread. */
  private static final int MAX_HELD = 64;

  /** As old as what is not watched may be in the kernel's cache. */
  private static final long MAX_AGE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final Logger log = LoggerFactory.getLogger(DirectoriesAhead.class);

  private final Core core;

  /** By the directory's number of ours, in the order in which they were asked for. */
  private final LinkedHashMap<Long, Slot> slots = new LinkedHashMap<>(); // guarded by this

  /** A directory that was asked for. Guarded by the table. */
  private static final class Slot {
    final Inode directory;
    final Detail detail;

    /** Null while it is under way. */
    Opened opened;

    Asked asked;

    /** Whether nobody may use it any more: a change was told, or the kernel forgot it. */
    boolean dropped;

    final List<Runnable> waiting = new ArrayList<>(0);

    Slot(Inode directory, Detail detail) {
      this.directory = directory;
      this.detail = detail;
    }
  }

  /** What the server said of a directory, with the lookup counts of its entries. */
  record Listing(Opened opened, Asked asked) {}

  DirectoriesAhead(Core core) {
    this.core = core;
  }

  /** Whether a directory is on its way, or there and not too old. */
  synchronized boolean isAsked(Inode directory) {
    Slot slot = slots.get(directory.id);
    return slot != null && !isOld(slot);
  }

  private static boolean isOld(Slot slot) {
    return slot.opened != null && System.nanoTime() - slot.asked.nanos() >= MAX_AGE_NANOS;
  }

  /** Asks the server for those directories that are not {@link #isAsked}. */
  void ask(List<Inode> directories, Detail detail, int bytes) {
    var batch = new ArrayList<Slot>(directories.size());
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      for (Inode directory : directories) {
        Slot old = slots.get(directory.id);
        if (old != null && !isOld(old)) {
          continue;
        }
        if (old != null) {
          slots.remove(directory.id);
          drop(old, unused);
        }
        var slot = new Slot(directory, detail);
        slots.put(directory.id, slot);
        batch.add(slot);
      }
      Iterator<Slot> eldest = slots.values().iterator();
      while (slots.size() > MAX_HELD && eldest.hasNext()) {
        Slot slot = eldest.next();
        if (slot.opened != null) {
          eldest.remove();
          drop(slot, unused);
        }
      }
    }
    unused.giveBack();
    if (batch.isEmpty()) {
      return;
    }
    core.start(
        "opendir ahead",
        RequestContext.NONE,
        new Reply<Void>() {
          @Override
          protected void sendSuccess(Void nothing) {}

          @Override
          protected void sendError(int errno) {
            arrived(batch, OpenedAhead.getDefaultInstance(), null);
          }
        },
        batch.stream().map(slot -> (Recoverable) slot.directory).toList(),
        () -> {
          var ahead = OpendirAhead.newBuilder().setMaxSize(bytes).setDetail(detail);
          batch.forEach(slot -> ahead.addNodes(slot.directory.node()));
          return ClientFrame.newBuilder().setOpendirAhead(ahead);
        },
        (frame, asked) -> {
          arrived(batch, frame.getOpenedAhead(), asked);
          return null;
        });
  }

  private void arrived(List<Slot> batch, OpenedAhead all, Asked asked) {
    var unused = new UnusedEntries(core.session);
    var waiting = new ArrayList<Runnable>();
    synchronized (this) {
      for (int i = 0; i < batch.size(); i++) {
        Slot slot = batch.get(i);
        Opened opened =
            i < all.getDirectoriesCount() ? all.getDirectories(i) : Opened.getDefaultInstance();
        slot.opened = opened;
        slot.asked = asked;
        if (slot.dropped || !opened.hasAttr()) {
          slots.remove(slot.directory.id, slot);
          drop(slot, unused);
        }
        waiting.addAll(slot.waiting);
        slot.waiting.clear();
      }
    }
    unused.giveBack();
    for (Runnable next : waiting) {
      try {
        next.run();
      } catch (RuntimeException | Error e) {
        log.error("{}: a directory that was waited for cannot be opened", core.share, e);
      }
    }
  }

  /**
   * If a directory is on its way, runs {@code then} when it is there, or not to be had.
   *
   * @param instead is run when the caller is interrupted before
   * @return false if it is not on its way
   */
  boolean await(Inode directory, RequestContext context, Runnable then, Runnable instead) {
    Slot slot;
    synchronized (this) {
      slot = slots.get(directory.id);
      if (slot == null || slot.opened != null) {
        return false;
      }
    }
    // Before it can be answered: what is waited for then is another call.
    var waiting = new Waiting(slot, then, instead);
    context.waitsFor(waiting);
    return waiting.begins();
  }

  /**
   * A request that waits for a directory. An interrupt ends that; the directory comes all the same.
   */
  private final class Waiting implements Call {
    private final Slot slot;
    private final Runnable then;
    private final Runnable instead;
    private boolean interrupted; // guarded by the table

    Waiting(Slot slot, Runnable then, Runnable instead) {
      this.slot = slot;
      this.then = then;
      this.instead = instead;
    }

    /** False if there is nothing to wait for any more. */
    boolean begins() {
      synchronized (DirectoriesAhead.this) {
        return !interrupted && slot.opened == null && slot.waiting.add(then);
      }
    }

    @Override
    public void cancel() {
      boolean waited;
      synchronized (DirectoriesAhead.this) {
        interrupted = true;
        waited = slot.waiting.remove(then);
      }
      if (waited) {
        instead.run();
      }
    }
  }

  /**
   * Takes a directory out, if it is there and nothing happened to it since it was asked for. The
   * lookup counts of its entries are the caller's then.
   */
  Listing take(Inode directory, Detail detail) {
    var unused = new UnusedEntries(core.session);
    Listing listing = null;
    synchronized (this) {
      Slot slot = slots.get(directory.id);
      if (slot == null || slot.opened == null) {
        return null;
      }
      slots.remove(directory.id);
      if (slot.detail == detail && holds(slot)) {
        listing = new Listing(slot.opened, slot.asked);
      } else {
        drop(slot, unused);
      }
    }
    unused.giveBack();
    return listing;
  }

  private boolean holds(Slot slot) {
    return !isOld(slot)
        && slot.asked.generation() == core.session.generation()
        && slot.opened.getAttr().getWatched()
        && core.isQuiet(slot.directory, slot.asked)
        && slot.directory.mark() >= 0
        && !slot.directory.isChangedSince(slot.asked.nanos());
  }

  /** The kernel forgot a directory. */
  void forget(long id) {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      Slot slot = slots.remove(id);
      if (slot != null) {
        drop(slot, unused);
      }
    }
    unused.giveBack();
  }

  /** Nothing is known any more. */
  void clear() {
    var unused = new UnusedEntries(core.session);
    synchronized (this) {
      slots.values().forEach(slot -> drop(slot, unused));
      slots.clear();
    }
    unused.giveBack();
  }

  private static void drop(Slot slot, UnusedEntries unused) {
    slot.dropped = true;
    if (slot.opened == null || slot.asked == null) {
      return;
    }
    for (DirEntry entry : slot.opened.getEntries().getEntriesList()) {
      if (entry.hasEntry()) {
        unused.add(entry.getEntry(), slot.asked.generation());
      }
    }
  }
}
