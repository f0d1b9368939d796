package dev.hostshare.agent.fs;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the outcome of one operation to whoever asked, exactly once. Must be answered once by
 * whoever holds it, whatever happens; a second answer is a bug of ours, is logged, and changes
 * nothing.
 *
 * <p>May be answered by any thread. Answering must not block on the server.
 *
 * @param <T> what a successful operation returns; {@link Void} (null) for nothing
 */
public abstract class Reply<T> {
  private static final Logger log = LoggerFactory.getLogger(Reply.class);
  private static final VarHandle ANSWERED;

  static {
    try {
      ANSWERED = MethodHandles.lookup().findVarHandle(Reply.class, "answered", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("unused") // through ANSWERED
  private boolean answered;

  /** Answers that the operation was done. */
  public final void success(T value) {
    if (claim()) {
      sendSuccess(value);
    }
  }

  /** Answers that the operation failed with {@code errno}, a positive Linux error number. */
  public final void error(int errno) {
    if (claim()) {
      sendError(errno);
    }
  }

  /** Whether an answer was given; for those who clean up after a failure. */
  public final boolean isAnswered() {
    return (boolean) ANSWERED.getVolatile(this);
  }

  private boolean claim() {
    if (ANSWERED.compareAndSet(this, false, true)) {
      return true;
    }
    log.error("an operation was answered twice", new IllegalStateException());
    return false;
  }

  protected abstract void sendSuccess(T value);

  protected abstract void sendError(int errno);
}
