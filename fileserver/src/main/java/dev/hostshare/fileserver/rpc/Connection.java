package dev.hostshare.fileserver.rpc;

import dev.hostshare.proto.v1.ServerFrame;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The sending side of one stream. Thread-safe: gRPC's observers are not. */
final class Connection {
  private static final Logger log = LoggerFactory.getLogger(Connection.class);

  /**
   * Replies that wait for the client to read them may take this much before it gets no more credit.
   */
  private static final int READY_BYTES = 4 << 20;

  private final ServerCallStreamObserver<ServerFrame> out;
  private final String peer;
  private volatile boolean ended;
  private int owed;
  private Runnable whenReady = () -> {};

  Connection(ServerCallStreamObserver<ServerFrame> out, String peer) {
    this.out = out;
    this.peer = peer;
    out.setOnReadyThreshold(READY_BYTES);
    out.setOnReadyHandler(this::payOwed);
  }

  String peer() {
    return peer;
  }

  /** Sends a frame; one for a stream that has ended is dropped, the session keeps what matters. */
  synchronized void send(ServerFrame frame) {
    if (ended || out.isCancelled()) {
      return;
    }
    out.onNext(frame);
  }

  /**
   * Whether the client reads what is sent: if not, it waits in our memory. Takes no lock: sessions
   * ask while they hold theirs, and where a client runs in this process, {@link #send} may come
   * back to them.
   */
  boolean isReady() {
    return !ended && out.isReady();
  }

  /** Runs {@code task} whenever the client has read most of what had to wait. */
  synchronized void whenReady(Runnable task) {
    whenReady = task;
  }

  /**
   * Lets the client send one more request; when it does not read its replies, only once it has:
   * they wait in our memory.
   */
  void credit() {
    synchronized (this) {
      if (ended) {
        return;
      }
      if (!out.isReady()) {
        owed++;
        return;
      }
    }
    out.request(1);
  }

  private void payOwed() {
    int credits;
    Runnable task;
    synchronized (this) {
      credits = owed;
      owed = 0;
      task = whenReady;
    }
    if (credits > 0) {
      out.request(credits);
    }
    task.run();
  }

  synchronized void complete() {
    if (!ended) {
      ended = true;
      out.onCompleted();
    }
  }

  synchronized void fail(Status status) {
    if (!ended) {
      ended = true;
      log.warn("{}: {}", peer, status.getDescription());
      out.onError(status.asException());
    }
  }
}
