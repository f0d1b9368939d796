package dev.hostshare.agent.fs;

import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs invalidations that may wait for requests to be answered, one after the other, on a thread of
 * their own: on the thread that delivers the answers they would wait for ever.
 */
final class Notifier implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Notifier.class);

  private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile KernelCache cache = KernelCache.NONE;

  Notifier() {
    thread = Thread.ofPlatform().name("hostshare-notify").daemon().unstarted(this::run);
    thread.start();
  }

  void attach(KernelCache kernelCache) {
    cache = kernelCache;
  }

  KernelCache cache() {
    return cache;
  }

  void later(Runnable invalidation) {
    queue.add(invalidation);
  }

  private void run() {
    try {
      while (true) {
        Runnable next = queue.take();
        try {
          next.run();
        } catch (RuntimeException | Error e) {
          log.error("an invalidation failed", e);
        }
      }
    } catch (InterruptedException e) {
      // closed
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
