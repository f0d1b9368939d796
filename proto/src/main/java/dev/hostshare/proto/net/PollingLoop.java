package dev.hostshare.proto.net;

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
 */
public final class PollingLoop {
  /**
   * 300 µs: a round trip and what the host's disk takes for it. With 50 µs, which is a round trip
   * alone, a random read of a cold page takes 257 to 264 µs rather than 177 to 188, a write and its
   * fsync 551 to 589 rather than 439 to 458, create 418 rather than 327, rename 254 rather than
   * 194. 1,000 µs gain nothing more.
   */
  private static final long POLL_NANOS = TimeUnit.MICROSECONDS.toNanos(300);

  private PollingLoop() {}

  /** Makes the handlers of an event loop group whose loops are single threads. */
  public static IoHandlerFactory handlers() {
    return loop ->
        EpollIoHandler.newFactory(0, () -> new Poll((SingleThreadEventExecutor) loop))
            .newHandler(loop);
  }

  private record Poll(SingleThreadEventExecutor loop) implements SelectStrategy {

    /** What is ready; {@link #SELECT} to sleep until something is. */
    @Override
    @SuppressWarnings("ThreadPriorityCheck") // a hint, on which nothing relies
    public int calculateStrategy(IntSupplier selectNow, boolean hasTasks) throws Exception {
      if (hasTasks) {
        return selectNow.get();
      }
      long begin = System.nanoTime();
      do {
        int ready = selectNow.get();
        // Tasks from other threads: nobody wakes a loop that is awake.
        if (ready > 0 || loop.pendingTasks() > 0) {
          return ready;
        }
        Thread.yield();
      } while (System.nanoTime() - begin < POLL_NANOS);
      return SELECT;
    }
  }
}
