package dev.hostshare.agent.docker;

import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that look at paths, and the memory for what they are asked. A thread that waits for a
 * mount cannot be called back: it is answered for, and counts until it returns.
 */
final class Workers implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Workers.class);

  private static final int THREADS = 16;
  private static final int WAITING = 64;

  /** 4 MiB: reading takes several times as much. */
  private static final long BUDGET = 4 << 20;

  private final AtomicLong budget = new AtomicLong(BUDGET);
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          30,
          TimeUnit.SECONDS,
          new ArrayBlockingQueue<>(WAITING),
          Thread.ofPlatform().name("hostshare-docker-", 0).daemon().factory());

  Workers() {
    threads.allowCoreThreadTimeOut(true);
  }

  KeptBytes bytes() {
    return new KeptBytes(budget);
  }

  /**
   * Finds a refusal, and tells it on the event loop: once, at the latest after {@code patience}.
   *
   * @param work is given whether its result is still wanted
   * @param done called when {@code work} has come to its end, whenever that is
   * @return false if too many wait already: then nothing is told, but {@code done} is called
   */
  boolean run(
      Function<BooleanSupplier, Optional<String>> work,
      Runnable done,
      Duration patience,
      EventExecutor loop,
      Consumer<Optional<String>> told) {
    var answered = new AtomicBoolean();
    Consumer<Optional<String>> once =
        refusal -> {
          if (answered.compareAndSet(false, true) && !loop.isShuttingDown()) {
            loop.execute(() -> told.accept(refusal));
          }
        };
    String late =
        "looking at its paths takes more than "
            + patience.toSeconds()
            + " s (the server of a mount may be away)";
    Future<?> alarm =
        loop.schedule(
            () -> once.accept(Optional.of(Denial.uncheckable(late))),
            patience.toMillis(),
            TimeUnit.MILLISECONDS);
    try {
      threads.execute(
          () -> {
            try {
              if (!answered.get()) {
                once.accept(work.apply(() -> !answered.get()));
              }
            } catch (RuntimeException | Error e) {
              log.error("a request could not be checked", e);
              once.accept(Optional.of(Denial.uncheckable("checking the request failed")));
            } finally {
              alarm.cancel(false);
              done.run();
            }
          });
      return true;
    } catch (RejectedExecutionException e) {
      alarm.cancel(false);
      done.run();
      return false;
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
