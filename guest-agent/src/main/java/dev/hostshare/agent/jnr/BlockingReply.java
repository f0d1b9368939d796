package dev.hostshare.agent.jnr;

import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.Reply;
import dev.hostshare.agent.fs.RequestContext;
import dev.hostshare.agent.remote.Call;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits for the answer, as libfuse's high-level API wants it. For one operation and one thread. */
final class BlockingReply<T> extends Reply<T> implements RequestContext {

  /** How long an interrupt of a waiting lock may go unnoticed. */
  private static final int INTERRUPT_POLL_MILLIS = 50;

  private final Identity caller;
  private final CountDownLatch answered = new CountDownLatch(1);
  private volatile T value;
  private volatile int errno;
  private volatile Call call;

  BlockingReply(Identity caller) {
    this.caller = caller;
  }

  @Override
  public Identity caller() {
    return caller;
  }

  @Override
  public void waitsFor(Call newCall) {
    call = newCall;
  }

  @Override
  protected void sendSuccess(T result) {
    value = result;
    answered.countDown();
  }

  @Override
  protected void sendError(int number) {
    errno = number;
    answered.countDown();
  }

  /**
   * Waits for the answer: bounded, since the session answers everything when the server stays away.
   *
   * @throws ErrnoException if the operation failed
   */
  T await() throws ErrnoException, InterruptedException {
    answered.await();
    return result();
  }

  /**
   * Waits for an answer that may not come for hours, and passes on an interrupt of the process that
   * waits. libfuse can only be asked whether there was one, or send a signal, which the JVM is not
   * to be sent; so it is asked again and again.
   */
  T await(BooleanSupplier interrupted) throws ErrnoException, InterruptedException {
    while (!answered.await(INTERRUPT_POLL_MILLIS, TimeUnit.MILLISECONDS)) {
      Call waiting = call;
      if (waiting != null && interrupted.getAsBoolean()) {
        waiting.cancel();
        return await();
      }
    }
    return result();
  }

  private T result() throws ErrnoException {
    if (errno != 0) {
      throw new ErrnoException(errno);
    }
    return value;
  }
}
