package dev.hostshare.proto.net;

import dev.hostshare.proto.v1.ClientFrame;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.SelectStrategy;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.IntSupplier;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Netty event loops (epoll) that go on looking for more to do for a moment before they sleep.
 *
 * <p>Between a request and its reply, and between a reply and the next request, lie some tens of
 * microseconds. A thread that sleeps meanwhile lets its virtual processor halt, and waking both
 * costs as much again: with polling on both sides, chmod takes 78 µs rather than 137, opening and
 * closing a cached file 93 rather than 143 (two virtual processors, Unix socket).
 *
 * <p>Whoever else can run runs first: each look is followed by sched_yield(2). A loop that has had
 * nothing for {@link #POLL_NANOS} sleeps as ever, so idling costs nothing.
 *
 * <p>Where both ends share a machine of two processors, each loop keeps to one of them while it has
 * more to do all the time. Otherwise both often look for work on the same one, since neither ever
 * waits long enough to be moved, and the other halts under the program that waits for its answer: a
 * random read of a cold page takes 189 µs rather than 124, a write and its fsync 420 rather than
 * 319, unlink 162 rather than 135, open 80 rather than 64 (medians of 5 or 6 runs of each, in
 * turn). With more processors, each finds one.
 */
public final class PollingLoop {
  /**
   * 300 µs: a round trip and what the host's disk takes for it. With 50 µs, which is a round trip
   * alone, a random read of a cold page takes 257 to 264 µs rather than 177 to 188, a write and its
   * fsync 551 to 589 rather than 439 to 458, create 418 rather than 327, rename 254 rather than
   * 194. 1,000 µs gain nothing more.
   */
  private static final long POLL_NANOS = TimeUnit.MICROSECONDS.toNanos(300);

  /**
   * Of one frame's data, read or written. Where those go, the loops run where the scheduler likes:
   * on processors of their own they read 0.82 times as much in a second, and wrote 0.87 times.
   */
  private static final int LARGE_BYTES = 64 << 10;

  private static final long LARGE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  /**
   * A loop whose turn comes so late shares its processor with a program that computes. It leaves:
   * the scheduler would not move that, and a create took 12 ms rather than 0.3.
   */
  private static final long TAKEN_NANOS = TimeUnit.MILLISECONDS.toNanos(3);

  /** How long it stays away; twice as long each time that it finds the same on coming back. */
  private static final long MIN_AWAY_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private static final long MAX_AWAY_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** On coming back: a slice of the scheduler's, or two. */
  private static final long BACK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  /** A loop that slept so long begins anew, where the scheduler likes. */
  private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  /** So many times in turn there was something to do before a loop would have slept. */
  private static final int CONVERSATION = 16;

  /** When the last large frame passed through this process. */
  private static volatile long lastLarge = System.nanoTime() - LARGE_NANOS;

  /** Which of two processors the loops keep to; -1 if there is no other end on this machine. */
  private volatile int processor = -1;

  /** The handlers of an event loop group whose loops are single threads. */
  public IoHandlerFactory handlers() {
    return loop ->
        EpollIoHandler.newFactory(0, () -> new Poll((SingleThreadEventExecutor) loop))
            .newHandler(loop);
  }

  /** These are the server's loops, and agents are on the same machine. */
  public void besideAgent() {
    processor = 1;
  }

  /** These are the agent's loops, and its server is on the same machine. */
  public void besideServer() {
    processor = 0;
  }

  /** Notes a request that is sent or received; for any thread. */
  public static void passes(ClientFrame request) {
    int size =
        switch (request.getOpCase()) {
          case READ -> request.getRead().getSize();
          case WRITE -> request.getWrite().getData().size();
          default -> 0;
        };
    if (size > LARGE_BYTES) {
      lastLarge = System.nanoTime();
    }
  }

  private final class Poll implements SelectStrategy {
    private final SingleThreadEventExecutor loop;

    /** Null before it is needed. */
    private Processor own;

    /** How often there was something to do since it slept. */
    private int found;

    /** When it went to sleep, last. */
    private long slept;

    /** When it began to keep to its processor, last. */
    private long kept;

    private long away = MIN_AWAY_NANOS;

    /** When its turn came late there, last. */
    private long taken = System.nanoTime() - MAX_AWAY_NANOS;

    Poll(SingleThreadEventExecutor loop) {
      this.loop = loop;
    }

    /** What is ready; {@link #SELECT} to sleep until something is. */
    @Override
    public int calculateStrategy(IntSupplier selectNow, boolean hasTasks) throws Exception {
      if (hasTasks) {
        return selectNow.get();
      }
      long begin = System.nanoTime();
      if (found == 0 && begin - slept > IDLE_NANOS) {
        free();
      }
      int ready = look(begin, selectNow);
      long now = System.nanoTime();
      if (ready == SELECT) {
        found = 0;
        slept = now;
        return SELECT;
      }
      found = Math.min(found + 1, CONVERSATION);
      if (found == CONVERSATION && now - taken > away && now - lastLarge > LARGE_NANOS) {
        keep(now);
      } else {
        free();
      }
      return ready;
    }

    @SuppressWarnings("ThreadPriorityCheck") // a hint, on which nothing relies
    private int look(long begin, IntSupplier selectNow) throws Exception {
      long now = begin;
      do {
        int ready = selectNow.get();
        // Tasks from other threads: nobody wakes a loop that is awake.
        if (ready > 0 || loop.pendingTasks() > 0) {
          return ready;
        }
        long before = now;
        Thread.yield();
        now = System.nanoTime();
        if (now - before > TAKEN_NANOS && isKept()) {
          away = now - kept < BACK_NANOS ? Math.min(2 * away, MAX_AWAY_NANOS) : MIN_AWAY_NANOS;
          taken = now;
          own.free();
        }
      } while (now - begin < POLL_NANOS);
      return SELECT;
    }

    private boolean isKept() {
      return own != null && own.isKept();
    }

    private void keep(long now) {
      if (processor < 0 || isKept()) {
        return;
      }
      if (own == null) {
        own = new Processor(processor);
      }
      if (own.keep()) {
        kept = now;
      } else {
        taken = now;
        away = MAX_AWAY_NANOS;
      }
    }

    private void free() {
      if (isKept()) {
        own.free();
      }
    }
  }
}
