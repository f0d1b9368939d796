package dev.hostshare.fileserver.host;

/**
 * One system call that may wait for long, and that another thread may cancel. Used once: {@link
 * HostFs#lock} enters and leaves it, {@link #cancel} may come from any thread before, during or
 * after.
 */
public final class BlockingCall {
  private long thread;
  private boolean cancelled;
  private boolean done;

  /** Called by the waiting thread right before the call. False if it was cancelled already. */
  synchronized boolean enter(long tid) {
    thread = tid;
    return !cancelled;
  }

  synchronized void leave() {
    done = true;
    thread = 0;
    notifyAll();
  }

  synchronized boolean isCancelled() {
    return cancelled;
  }

  /**
   * Makes the call end with EINTR unless it is done already; returns when it has ended. A signal
   * that falls between {@link #enter} and the system call would be lost, so it is sent until the
   * call has ended.
   */
  public void cancel() throws InterruptedException {
    cancel(LinuxSignals::interrupt);
  }

  synchronized void cancel(java.util.function.LongConsumer interrupt) throws InterruptedException {
    cancelled = true;
    while (!done && thread != 0) {
      interrupt.accept(thread);
      wait(1);
    }
  }
}
