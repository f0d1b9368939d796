package dev.hostshare.perf.fsbench;

import static java.util.concurrent.TimeUnit.SECONDS;

import java.util.concurrent.CountDownLatch;

/** The program {@code fsbench}. */
public final class Main {
  private static final int CLEANING_SECONDS = 120;

  private Main() {}

  /** A signal interrupts this thread, which then cleans up as after any other failure. */
  public static void main(String[] args) {
    Thread main = Thread.currentThread();
    var ended = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (ended.getCount() > 0) {
                    main.interrupt();
                    awaitEnd(ended);
                  }
                }));
    int code;
    try {
      code = Fsbench.run(args);
    } finally {
      ended.countDown();
    }
    System.exit(code);
  }

  private static void awaitEnd(CountDownLatch ended) {
    try {
      if (!ended.await(CLEANING_SECONDS, SECONDS)) {
        System.err.println("fsbench: could not clean up in time: the next run names what is left");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
