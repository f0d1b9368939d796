package dev.hostshare.fileserver.rpc;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CancellationException;

/**
 * What a call answers, as fast as its client reads: a client that does not, a pager say, holds up
 * the thread that sends, rather than filling our memory.
 *
 * <p>To be made before the call's method returns, and used on a thread that is not gRPC's.
 */
final class Outflow<T> {
  private final ServerCallStreamObserver<T> out;

  Outflow(StreamObserver<T> observer) {
    out = (ServerCallStreamObserver<T>) observer;
    out.setOnReadyHandler(this::wake);
    out.setOnCancelHandler(this::wake);
  }

  private synchronized void wake() {
    notifyAll();
  }

  /**
   * Sends when the client can take it.
   *
   * @throws CancellationException if the client is gone, or the thread was interrupted
   */
  void send(T value) {
    synchronized (this) {
      try {
        while (!out.isReady() && !out.isCancelled()) {
          wait();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    goOn();
    out.onNext(value);
  }

  /**
   * Does nothing, as long as somebody waits for the answer.
   *
   * @throws CancellationException if the client is gone, or the thread was interrupted
   */
  void goOn() {
    if (out.isCancelled() || Thread.currentThread().isInterrupted()) {
      throw new CancellationException("nobody waits for the answer");
    }
  }
}
