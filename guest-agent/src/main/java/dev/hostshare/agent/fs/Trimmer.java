package dev.hostshare.agent.fs;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what the kernel has cached within what there is memory for here: each inode that it knows
 * is one of ours. Those that were looked up longest ago are dropped, as far as the kernel does not
 * use them. Thread-safe.
 */
final class Trimmer {
  private static final Logger log = LoggerFactory.getLogger(Trimmer.class);

  /** Of the limit, so much more goes than has to. */
  private static final int SHARE = 20;

  /** In one notification, of 4 KiB. */
  private static final int BATCH = 512;

  private static final long PRUNE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  /** Other file systems lose what they have cached, too. */
  private static final long DROP_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** Where there is far too much already: a fifth of the limit. */
  private static final long DROP_AGAIN_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final int FAR_TOO_MUCH = 5;

  private final InodeTable inodes;
  private final Notifier notifier;
  private final IntSupplier limit;
  private final AtomicBoolean trims = new AtomicBoolean();

  /** Not before this, by {@link System#nanoTime}: the kernel may be using all of it. */
  private volatile long nextNanos = System.nanoTime();

  /** The same where there is far too much. */
  private volatile long againNanos = nextNanos;

  /** Nothing was dropped when that was asked for. */
  private volatile boolean refused;

  /** The user was told of too many in use. */
  private final AtomicBoolean told = new AtomicBoolean();

  /** {@code limit} may change: how many inodes there may be. */
  Trimmer(InodeTable inodes, Notifier notifier, IntSupplier limit) {
    this.inodes = inodes;
    this.notifier = notifier;
    this.limit = limit;
  }

  /** An inode more may be known. */
  void check() {
    int size = inodes.size();
    int most = limit.getAsInt();
    if (size > most
        && System.nanoTime() - (size > most + most / FAR_TOO_MUCH ? againNanos : nextNanos) >= 0
        && trims.compareAndSet(false, true)) {
      notifier.later(this::trim);
    }
  }

  /**
   * Whether there is no memory for inodes that are not known yet: there are far too many, and the
   * kernel cannot be asked to drop some, or there are half as many again: it uses them all, or
   * finds more than it drops. What it forgets by itself makes room.
   */
  boolean isFull() {
    int most = limit.getAsInt();
    int size = inodes.size();
    if (size > most + most / 2) {
      if (!told.getAndSet(true)) {
        log.warn(
            "more than {} files and directories are in use at the same time: more get ENOMEM. Give"
                + " the agent more --memory",
            most + most / 2);
      }
      return true;
    }
    return refused && size > most + most / FAR_TOO_MUCH;
  }

  private void trim() {
    long pause = PRUNE_PAUSE_NANOS;
    try {
      if (!prune() && !refused) {
        pause = DROP_PAUSE_NANOS;
        refused = !notifier.cache().dropUnused();
        if (refused) {
          log.warn(
              "more than {} files and directories are cached, and this kernel cannot be asked to"
                  + " drop some: more than a fifth beyond that get ENOMEM. Give the agent more"
                  + " --memory, a kernel from 6.18 on, or permission to write /proc/sys/vm/drop_caches",
              limit.getAsInt());
        }
      }
    } finally {
      long now = System.nanoTime();
      nextNanos = now + pause;
      againNanos = now + Math.min(pause, DROP_AGAIN_NANOS);
      trims.set(false);
    }
  }

  /** What the kernel drops is forgotten in a moment. False if it cannot be asked. */
  private boolean prune() {
    int most = limit.getAsInt();
    for (int left = inodes.size() - most + most / SHARE; left > 0; left -= BATCH) {
      long[] oldest = inodes.oldest(Math.min(left, BATCH));
      if (oldest.length > 0 && !notifier.cache().prune(oldest)) {
        return false;
      }
    }
    return true;
  }
}
