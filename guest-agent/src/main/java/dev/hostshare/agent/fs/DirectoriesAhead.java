package dev.hostshare.agent.fs;

import dev.hostshare.agent.remote.Call;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Detail;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.OpendirAhead;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.OpenedAhead;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * Listings of directories that are expected to be opened next, fetched many at a time while the
 * guest reads those before them. Only what the server watches is used.
 *
 * <p>Thread-safe; of the other tables, no lock is taken with this one's.
 */
final class DirectoriesAhead {
  /** Of each 100 entries at the most: 4 MiB for all. */
  private static final int MAX_HELD = 256;

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

  /** Whether a directory was asked for, and has not been taken. */
  synchronized boolean isAsked(Inode directory) {
    return slots.containsKey(directory.id);
  }

  /** Asks the server for directories, none of which is {@link #isAsked}. */
  void ask(List<Inode> directories, Detail detail, int bytes) {
    var batch = new ArrayList<Slot>(directories.size());
    var unused = Forget.newBuilder();
    synchronized (this) {
      for (Inode directory : directories) {
        var slot = new Slot(directory, detail);
        if (slots.putIfAbsent(directory.id, slot) == null) {
          batch.add(slot);
        }
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
    giveBack(unused);
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
    var unused = Forget.newBuilder();
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
    giveBack(unused);
    waiting.forEach(Runnable::run);
  }

  /**
   * If a directory is on its way, runs {@code then} when it is there, or not to be had.
   *
   * @return false if it is not on its way
   */
  boolean await(Inode directory, RequestContext context, Reply<?> reply, Runnable then) {
    Slot slot;
    synchronized (this) {
      slot = slots.get(directory.id);
      if (slot == null || slot.opened != null) {
        return false;
      }
      slot.waiting.add(then);
    }
    context.waitsFor(new Waiting(slot, reply, then));
    return true;
  }

  /** An interrupt ends the wait; the directory comes all the same. */
  private final class Waiting implements Call {
    private final Slot slot;
    private final Reply<?> reply;
    private final Runnable then;

    Waiting(Slot slot, Reply<?> reply, Runnable then) {
      this.slot = slot;
      this.reply = reply;
      this.then = then;
    }

    @Override
    public void cancel() {
      boolean waited;
      synchronized (DirectoriesAhead.this) {
        waited = slot.waiting.remove(then);
      }
      if (waited) {
        reply.error(Errno.EINTR);
      }
    }
  }

  /**
   * Takes a directory out, if it is there and nothing happened to it since it was asked for. The
   * lookup counts of its entries are the caller's then.
   */
  Listing take(Inode directory, Detail detail) {
    var unused = Forget.newBuilder();
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
    giveBack(unused);
    return listing;
  }

  private boolean holds(Slot slot) {
    return slot.asked.generation() == core.session.generation()
        && slot.opened.getAttr().getWatched()
        && core.isQuiet(slot.directory, slot.asked)
        && slot.directory.mark() >= 0
        && !slot.directory.isChangedSince(slot.asked.nanos());
  }

  /** The kernel forgot a directory. */
  void forget(long id) {
    var unused = Forget.newBuilder();
    synchronized (this) {
      Slot slot = slots.remove(id);
      if (slot != null) {
        drop(slot, unused);
      }
    }
    giveBack(unused);
  }

  /** Nothing is known any more. */
  void clear() {
    var unused = Forget.newBuilder();
    synchronized (this) {
      slots.values().forEach(slot -> drop(slot, unused));
      slots.clear();
    }
    giveBack(unused);
  }

  private void drop(Slot slot, Forget.Builder unused) {
    slot.dropped = true;
    if (slot.opened == null
        || slot.asked == null
        || slot.asked.generation() != core.session.generation()) {
      return;
    }
    for (DirEntry entry : slot.opened.getEntries().getEntriesList()) {
      if (entry.hasEntry()) {
        unused.addNodes(Forget.One.newBuilder().setNode(entry.getEntry().getNode()).setCount(1));
      }
    }
  }

  private void giveBack(Forget.Builder unused) {
    if (unused.getNodesCount() > 0) {
      core.session.forget(core.session.generation(), unused.build());
    }
  }
}
