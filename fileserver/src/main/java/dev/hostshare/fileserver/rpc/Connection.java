package dev.hostshare.fileserver.rpc;

import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.ServerFrame;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sending side of one stream, and how much comes from the other. Thread-safe: gRPC's observers
 * are not.
 *
 * <p>The next frame is read when the one before has come, unless too many requests are under way,
 * or too many bytes are in them or will be in their replies, or the client does not read those.
 */
final class Connection {
  private static final Logger log = LoggerFactory.getLogger(Connection.class);

  /**
   * Replies that wait for the client to read them may take this much before no more is read from
   * it.
   */
  private static final int READY_BYTES = 4 << 20;

  /** Of a request with little in it. */
  private static final int LEAST_BYTES = 1 << 10;

  /** A lookup count in memory: an object and its place in a list. */
  private static final int FORGET_BYTES = 48;

  private final ServerCallStreamObserver<ServerFrame> out;
  private final String peer;
  private final LongSupplier maxBytes;
  private volatile boolean ended;

  // ---- guarded by this ----
  private boolean begun;

  /** A frame was asked for, and has not come yet. */
  private boolean asked;

  private int requests;
  private long bytes;
  private Runnable whenReady = () -> {};

  /**
   * A stream of which nothing is read before {@link #begin}.
   *
   * @param maxBytes how many bytes may be in the requests under way and in their replies, at this
   *     moment; one request may go beyond it
   */
  Connection(ServerCallStreamObserver<ServerFrame> out, String peer, LongSupplier maxBytes) {
    this.out = out;
    this.peer = peer;
    this.maxBytes = maxBytes;
    out.setOnReadyThreshold(READY_BYTES);
    out.setOnReadyHandler(this::ready);
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

  /** Lets the client send its requests. */
  void begin() {
    synchronized (this) {
      begun = true;
    }
    ask();
  }

  /**
   * Notes that a request has come. It counts until {@link #credit}. To be followed by {@link #ask}.
   */
  void received(ClientFrame request) {
    long size = size(request);
    synchronized (this) {
      asked = false;
      requests++;
      bytes += size;
    }
  }

  /** Notes that a request is done, and takes up no room any more but for its reply. */
  void credit(ClientFrame request) {
    long size = size(request);
    synchronized (this) {
      requests--;
      bytes -= size;
    }
    ask();
  }

  /** Asks for the next frame, if there is room for it. */
  void ask() {
    // Taken without the lock, as isReady is.
    boolean ready = isReady();
    long most = maxBytes.getAsLong();
    synchronized (this) {
      if (!ready || !begun || asked || requests >= Session.MAX_IN_FLIGHT || bytes >= most) {
        return;
      }
      asked = true;
    }
    out.request(1);
  }

  private void ready() {
    Runnable task;
    synchronized (this) {
      task = whenReady;
    }
    ask();
    task.run();
  }

  /** What a request takes in memory, with its reply: about, and not less where it is much. */
  private static long size(ClientFrame request) {
    return LEAST_BYTES
        + switch (request.getOpCase()) {
          case WRITE -> request.getWrite().getSerializedSize();
          case SETXATTR -> request.getSetxattr().getSerializedSize();
          case FORGET -> (long) FORGET_BYTES * request.getForget().getNodesCount();
          case READ -> payload(request.getRead().getSize());
          case OPENDIR -> payload(request.getOpendir().getMaxSize());
          case OPENDIR_AHEAD -> payload(request.getOpendirAhead().getMaxSize());
          case READDIR -> payload(request.getReaddir().getSize());
          case SURVEY -> FileServiceHandler.MAX_PAYLOAD;
          default -> 0;
        };
  }

  /** No reply has more, whatever is asked for. */
  private static int payload(int unsigned) {
    return unsigned < 0
        ? FileServiceHandler.MAX_PAYLOAD
        : Math.min(unsigned, FileServiceHandler.MAX_PAYLOAD);
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
