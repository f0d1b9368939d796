package dev.hostshare.fileserver.rpc;

import dev.hostshare.fileserver.export.Directories;
import dev.hostshare.proto.net.PollingLoop;
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

  /** What goes with every request: messages, tasks, buffers. */
  private static final int LEAST_BYTES = 1 << 10;

  /** A lookup count or a name in memory: an object and its place in a list. */
  private static final int OBJECT_BYTES = 48;

  /** An entry of a survey, on the wire. */
  private static final int ENTRY_BYTES = 400;

  private final ServerCallStreamObserver<ServerFrame> out;
  private final String peer;
  private final LongSupplier maxBytes;
  private volatile boolean ended;

  /** The session's; null before {@link #begin}. */
  private volatile Intake intake;

  // ---- guarded by this ----
  /** A frame was asked for, and has not come yet. */
  private boolean asked;

  private Runnable whenReady = () -> {};

  /**
   * A stream of which nothing is read before {@link #begin}.
   *
   * @param maxBytes how many bytes may be in a session's requests under way and in their replies,
   *     at this moment; one request may go beyond it
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

  /** Lets the client send its requests, beside those of its session that are under way. */
  void begin(Intake ofSession) {
    intake = ofSession;
    ask();
  }

  /**
   * Notes that a request has come. It counts until {@link #credit}. To be followed by {@link #ask}.
   */
  void received(ClientFrame request) {
    PollingLoop.passes(request);
    intake.begins(size(request));
    synchronized (this) {
      asked = false;
    }
  }

  /** Notes that a request is done that came this way. */
  void credit(ClientFrame request) {
    intake.ends(size(request));
    ask();
  }

  /** Asks for the next frame, if there is room for it. */
  void ask() {
    // Taken without the lock, as isReady is.
    Intake ofSession = intake;
    if (ofSession == null || !isReady()) {
      return;
    }
    long most = maxBytes.getAsLong();
    synchronized (this) {
      if (asked || !ofSession.hasRoom(most)) {
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

  /**
   * What a request takes in memory, and its reply on the wire, in bytes. A listing takes more while
   * it is made, but there are no more of those at once than threads that make them.
   */
  private static long size(ClientFrame request) {
    long objects = (long) request.getForget().getNodesCount() + request.getWalk().getNamesCount();
    long numbers =
        (long) request.getCaller().getGroupsCount()
            + request.getReleasedCount()
            + request.getAfterCount()
            + request.getOpendirAhead().getNodesCount();
    return LEAST_BYTES
        + request.getSerializedSize()
        + OBJECT_BYTES * objects
        + Long.BYTES * numbers
        + switch (request.getOpCase()) {
          case READ -> payload(request.getRead().getSize());
          case OPEN -> payload(request.getOpen().getMaxContent());
          case OPENDIR -> payload(request.getOpendir().getMaxSize());
          case READDIR -> payload(request.getReaddir().getSize());
          case OPENDIR_AHEAD ->
              Math.min(
                  (long) payload(request.getOpendirAhead().getMaxSize())
                      * request.getOpendirAhead().getNodesCount(),
                  FileServiceHandler.MAX_PAYLOAD);
          case SURVEY ->
              ENTRY_BYTES
                  * Math.min(
                      Integer.toUnsignedLong(request.getSurvey().getMaxEntries()),
                      Directories.MAX_ENTRIES);
          default -> 0;
        };
  }

  /** None of those that are asked for by their size has more, whatever is asked for. */
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
