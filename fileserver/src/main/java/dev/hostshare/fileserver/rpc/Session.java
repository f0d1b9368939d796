package dev.hostshare.fileserver.rpc;

import dev.hostshare.fileserver.export.ExportSession;
import dev.hostshare.fileserver.export.Invalidations;
import dev.hostshare.fileserver.host.BlockingCall;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.Invalidate;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.SessionStatus;
import dev.hostshare.proto.v1.Share;
import dev.hostshare.proto.v1.SharesChanged;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One guest's session, over one connection or several in turn.
 *
 * <p>A request is executed once: while it runs, and as long as its reply may be lost on the way,
 * its number is known here. The client has at most {@link #MAX_IN_FLIGHT} requests without a reply,
 * and replies arrive in the order sent; so a reply that has {@link KeptReplies#MOST} others behind
 * it has arrived. Thread-safe.
 */
final class Session implements Invalidations {
  private static final Logger log = LoggerFactory.getLogger(Session.class);

  /**
   * What the server works on at once, for one session; their bytes have a bound of their own. More
   * does not help: 64 deep, a request costs 2.3 µs of the wire.
   */
  static final int MAX_IN_FLIGHT = 64;

  /** Requests that one may be done after: there are no more at once, but for waiting locks. */
  private static final int MAX_AFTER = MAX_IN_FLIGHT;

  /** 64 KiB: copied in some 10 µs. */
  private static final int QUICK_BYTES = 64 << 10;

  /** Of one write, each of a page mostly. */
  private static final int QUICK_PIECES = 16;

  /** A client that waits for its reply takes 30 µs at the least to send the next request. */
  private static final long TOO_SOON_NANOS = 10_000;

  private static final int CROWD_REQUESTS = 32;

  /** Nodes in one request that the event loop forgets by itself. */
  private static final int MAX_LIGHT = 4;

  /** The space of a file that was removed is the guest's until it forgets it: mostly at once. */
  private static final long SPACE_BACK_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** What was removed longer ago is not on its way back. */
  private static final long REMOVED_LATELY_NANOS = TimeUnit.SECONDS.toNanos(1);

  final String client;
  private final ExportSession export;
  private final Operations operations;
  private final Executor workers;
  private final ThreadFactory waiters;
  private final Rates rates = new Rates();

  /** What is under way, for the connections. */
  final Intake intake = new Intake();

  /** Guarded by this for writing. */
  private volatile Connection connection;

  // ---- guarded by this ----
  private final Map<Long, BlockingCall> running = new HashMap<>();

  /** Of those that run: they may do so for ever. */
  private final Set<Long> waitingLocks = new HashSet<>();

  /** Done, and about to be answered: what follows them must not be answered before. */
  private final Set<Long> replying = new HashSet<>();

  private final Followers followers = new Followers();
  private final KeptReplies kept = new KeptReplies();
  private final Set<String> mounts = new LinkedHashSet<>();
  private boolean closed;

  /** When the event loop last did a request itself. */
  private long lastInline = System.nanoTime();

  /** So many requests more go to the workers. */
  private int crowd;

  /** Guarded by this: frames of lookup counts that came, and those that are done. */
  private long forgetsBegun;

  private long forgetsDone;

  /** Guarded by this: when a name was removed last, and how many of those frames had come. */
  private long removedNanos = System.nanoTime() - REMOVED_LATELY_NANOS;

  private long forgetsAtRemoval;

  /** Invalidations were not sent, since the client did not read: it has to drop everything. */
  private boolean behind;

  Session(
      String client,
      ExportSession export,
      Operations operations,
      Executor workers,
      ThreadFactory waiters) {
    this.client = client;
    this.export = export;
    this.operations = operations;
    this.workers = workers;
    this.waiters = waiters;
    export.attach(this);
  }

  @Override
  public void node(long node) {
    invalidate(Invalidate.newBuilder().setNode(node));
  }

  @Override
  public void name(long directory, byte[] name) {
    invalidate(Invalidate.newBuilder().setNode(directory).setName(Packing.bytes(name)));
  }

  @Override
  public void everything() {
    invalidate(Invalidate.newBuilder());
  }

  /**
   * Sends an invalidation. A client that has no connection drops everything by itself; one that
   * does not read is told to, when it reads again.
   */
  private void invalidate(Invalidate.Builder what) {
    Connection to;
    synchronized (this) {
      if (connection == null || behind) {
        return;
      }
      to = connection;
      if (!to.isReady()) {
        behind = true;
        return;
      }
    }
    to.send(ServerFrame.newBuilder().setInvalidate(what).build());
  }

  /** Tells the guest what is shared now; one that is away hears of it with its next welcome. */
  void sharesChanged(SharesChanged shares) {
    Connection to;
    synchronized (this) {
      mounts.retainAll(shares.getSharesList().stream().map(Share::getPath).toList());
      to = connection;
    }
    if (to != null) {
      to.send(ServerFrame.newBuilder().setSharesChanged(shares).build());
    }
  }

  void measure() {
    rates.measure();
  }

  private void catchUp(Connection reading) {
    synchronized (this) {
      if (!behind || connection != reading || !reading.isReady()) {
        return;
      }
      behind = false;
    }
    reading.send(ServerFrame.newBuilder().setInvalidate(Invalidate.getDefaultInstance()).build());
  }

  int maxNodes() {
    return export.maxNodes();
  }

  /** Replies go there from now on. Null: nowhere, until the session is resumed. */
  synchronized Connection attach(Connection next) {
    Connection old = connection;
    connection = next;
    behind = false;
    next.whenReady(() -> catchUp(next));
    return old;
  }

  /** Whether the session was left by this connection, and not taken over by another. */
  synchronized boolean detach(Connection left) {
    if (connection != left) {
      return false;
    }
    connection = null;
    return !closed;
  }

  /** Whether a share was taken away that it had. */
  boolean hasLost() {
    return export.hasLost();
  }

  synchronized boolean isDetached() {
    return connection == null;
  }

  /** A frame from the client; the connection's credit is given back when it is done. */
  void receive(ClientFrame frame, Connection from) {
    switch (frame.getOpCase()) {
      case FORGET -> {
        synchronized (this) {
          forgetsBegun++;
        }
        if (isLight(frame.getForget())) {
          forget(frame, from);
        } else {
          // Not on the event loop: what is forgotten may have much to be given back.
          workers.execute(() -> forget(frame, from));
        }
      }
      case CANCEL -> {
        cancel(frame.getCancel().getSeq());
        credit(frame, from);
      }
      default -> request(frame, from);
    }
  }

  /** A request is done: another may be read, by the connection that there is now. */
  private void credit(ClientFrame frame, Connection from) {
    from.credit(frame);
    Connection now = connection;
    if (now != null && now != from) {
      now.ask();
    }
  }

  /**
   * Whether to forget these takes no longer than to wake a worker for it, for which the next unlink
   * would wait as well.
   */
  private boolean isLight(Forget forget) {
    return forget.getNodesCount() <= MAX_LIGHT
        && forget.getNodesList().stream().allMatch(n -> export.isLight(n.getNode()));
  }

  private void forget(ClientFrame frame, Connection from) {
    try {
      frame.getForget().getNodesList().forEach(n -> export.forget(n.getNode(), n.getCount()));
    } finally {
      synchronized (this) {
        forgetsDone++;
        notifyAll();
      }
      credit(frame, from);
    }
  }

  /** Notes that a name was removed, or replaced, whose file the guest is about to forget. */
  private synchronized void removed() {
    removedNanos = System.nanoTime();
    forgetsAtRemoval = forgetsBegun;
  }

  private synchronized boolean removedLately() {
    return System.nanoTime() - removedNanos < REMOVED_LATELY_NANOS;
  }

  /**
   * Waits until what was removed last is forgotten; the guest may keep it open, so not for long.
   */
  private synchronized void awaitSpace() {
    long deadline = System.nanoTime() + SPACE_BACK_NANOS;
    try {
      for (long left = SPACE_BACK_NANOS;
          left > 0 && (forgetsDone <= forgetsAtRemoval || forgetsDone < forgetsBegun); ) {
        TimeUnit.NANOSECONDS.timedWait(this, left);
        left = deadline - System.nanoTime();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether request {@code seq} will be answered, and does not wait for somebody else. */
  private boolean ends(long seq) {
    return (running.containsKey(seq) && !waitingLocks.contains(seq)) || replying.contains(seq);
  }

  private void request(ClientFrame frame, Connection from) {
    long seq = frame.getSeq();
    ServerFrame again;
    boolean alone;
    boolean runs;
    boolean waits = false;
    synchronized (this) {
      if (closed) {
        return;
      }
      // What nobody waits for has the next request on its heels: a release, a write that this one
      // follows. That is no crowd.
      boolean expected = frame.hasRelease() || frame.getAfterCount() > 0;
      alone = running.isEmpty() && (expected || !isCrowded());
      kept.acked(frame.getAcked());
      again = kept.get(seq);
      // Sent again while it runs: its reply goes to the connection that is attached by then.
      runs = again == null && running.containsKey(seq);
      if (again == null && !runs) {
        running.put(seq, new BlockingCall());
        if (frame.hasSetlk() && frame.getSetlk().getWait()) {
          waitingLocks.add(seq);
        }
        waits =
            frame.getAfterCount() > 0
                && frame.getAfterCount() <= MAX_AFTER
                && followers.add(
                    () -> execute(frame, from),
                    before -> before < seq && ends(before),
                    frame.getAfterList());
      }
    }
    if (again != null || runs) {
      try {
        if (again != null) {
          from.send(again);
        }
      } finally {
        credit(frame, from);
      }
      return;
    }
    rates.request();
    if (waits) {
      return;
    }
    if (alone && isQuick(frame)) {
      execute(frame, from);
      if (!frame.hasRelease()) {
        synchronized (this) {
          lastInline = System.nanoTime();
        }
      }
    } else {
      workers.execute(() -> execute(frame, from));
    }
  }

  /**
   * Whether several requests come at once: those that waited while the event loop did one are there
   * as soon as it is done, and go to the workers, side by side, with what follows them.
   */
  private boolean isCrowded() {
    if (crowd > 0) {
      crowd--;
    } else if (System.nanoTime() - lastInline < TOO_SOON_NANOS) {
      crowd = CROWD_REQUESTS;
    }
    return crowd > 0;
  }

  /**
   * What rarely waits for a disk is done on the event loop, if nothing else is to be done for this
   * session: a worker, and the way back from it, are two wake-ups of a thread. Done here, a stat
   * with cold caches takes 79 µs rather than 108, open, read and close 355 rather than 470, a
   * rename 115 rather than 158.
   */
  private static boolean isQuick(ClientFrame request) {
    return switch (request.getOpCase()) {
      case WALK, GETATTR, READLINK, ACCESS, OPENDIR, READDIR, RELEASE, GETXATTR, LISTXATTR -> true;
      case CREATE, MKDIR, SYMLINK, LINK, MKNOD, SETXATTR, REMOVEXATTR -> true;
      // The last name of a file of any size, too: a descriptor keeps it until it is forgotten.
      case UNLINK, RMDIR, RENAME -> true;
      case SETATTR -> !request.getSetattr().hasSize();
      case OPEN -> (request.getOpen().getFlags() & Linux.O_TRUNC) == 0;
      case READ -> request.getRead().getSize() <= QUICK_BYTES;
      case WRITE ->
          request.getWrite().getData().size() <= QUICK_BYTES
              && request.getWrite().getMoreCount() <= QUICK_PIECES;
      default -> false;
    };
  }

  private void execute(ClientFrame frame, Connection from) {
    try {
      run(frame, from);
    } finally {
      operations.release(frame.getReleasedList());
    }
  }

  private void run(ClientFrame frame, Connection from) {
    boolean goesOn = false;
    try {
      ServerFrame answer = answer(frame);
      if (answer == null) {
        // The credit comes back now: a waiting lock must not keep its holder from unlocking.
        // It may wait for ever: not with all that came in its frame.
        ClientFrame lock =
            ClientFrame.newBuilder().setSeq(frame.getSeq()).setSetlk(frame.getSetlk()).build();
        waiters.newThread(() -> waitForLock(lock)).start();
        return;
      }
      if (answer.getErrno() == 0 && (frame.hasUnlink() || frame.hasRename())) {
        removed();
      }
      if (answer.getErrno() == Errno.ENOSPC && !frame.hasSetlk() && removedLately()) {
        // rm, then write: there is room for it in a moment.
        workers.execute(() -> runWhenThereIsSpace(frame, from));
        goesOn = true;
        return;
      }
      reply(answer, frame);
    } finally {
      if (!goesOn) {
        credit(frame, from);
      }
    }
  }

  private void runWhenThereIsSpace(ClientFrame frame, Connection from) {
    try {
      awaitSpace();
      reply(answer(frame), frame);
    } finally {
      credit(frame, from);
    }
  }

  /** Does what is asked for; null if that is a lock that has to be waited for. */
  private ServerFrame answer(ClientFrame frame) {
    if (frame.getAfterCount() > MAX_AFTER) {
      return failure(frame, Errno.EINVAL);
    }
    ServerFrame.Builder reply = ServerFrame.newBuilder().setSeq(frame.getSeq());
    try {
      if (frame.hasSetlk() && frame.getSetlk().getWait()) {
        return operations.tryLock(frame) ? reply.build() : null;
      }
      operations.run(frame, reply);
      if (frame.hasMount()) {
        synchronized (this) {
          mounts.add(frame.getMount().getPath());
        }
      }
      if (reply.hasData()) {
        rates.read(reply.getData().size());
      } else if (frame.hasWrite()) {
        rates.written(frame.getWrite().getSerializedSize());
      }
      return reply.build();
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EROFS || e.errno() == Errno.EIO || e.errno() == Errno.ENOSPC) {
        log.warn("{}: {}: {}", client, frame.getOpCase(), e.getMessage());
      }
      return failure(frame, e.errno());
    } catch (RuntimeException | Error e) {
      // A defect of ours must not cost the guest a process that waits for ever.
      log.error("{}: {} failed", client, frame.getOpCase(), e);
      return failure(frame, Errno.EIO);
    }
  }

  private static ServerFrame failure(ClientFrame frame, int errno) {
    return ServerFrame.newBuilder().setSeq(frame.getSeq()).setErrno(errno).build();
  }

  private void waitForLock(ClientFrame frame) {
    BlockingCall turn;
    synchronized (this) {
      turn = running.get(frame.getSeq());
    }
    ServerFrame reply;
    try {
      operations.waitForLock(frame, turn);
      reply = ServerFrame.newBuilder().setSeq(frame.getSeq()).build();
    } catch (ErrnoException e) {
      reply = failure(frame, e.errno());
    } catch (RuntimeException | Error e) {
      log.error("{}: waiting for a lock failed", client, e);
      reply = failure(frame, Errno.EIO);
    }
    reply(reply, frame);
  }

  /** The last of a request: it is not running any more, and its reply is on its way. */
  private void reply(ServerFrame reply, ClientFrame request) {
    Connection to;
    synchronized (this) {
      running.remove(request.getSeq());
      waitingLocks.remove(request.getSeq());
      if (closed) {
        return;
      }
      replying.add(request.getSeq());
      kept.add(request, reply);
      to = connection;
    }
    List<Runnable> next;
    try {
      if (to != null) {
        to.send(reply);
      }
    } finally {
      synchronized (this) {
        replying.remove(request.getSeq());
        next = followers.done(request.getSeq());
      }
      next.forEach(workers::execute);
    }
  }

  private void cancel(long seq) {
    BlockingCall call;
    synchronized (this) {
      call = running.get(seq);
    }
    if (call != null) {
      // Not on the event loop: it waits until the call has ended.
      workers.execute(
          () -> {
            try {
              call.cancel();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
    }
  }

  /** Ends the session: waiting locks are cancelled, then everything it holds goes. */
  void close() {
    List<BlockingCall> waiting;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      waiting = new ArrayList<>(running.values());
    }
    try {
      for (BlockingCall call : waiting) {
        call.cancel();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    export.close();
  }

  synchronized SessionStatus status() {
    Rates.PerSecond now = rates.perSecond();
    SessionStatus.Builder status =
        SessionStatus.newBuilder()
            .setClient(client)
            .addAllMounts(mounts)
            .setNodes(export.nodeCount())
            .setHandles(export.handleCount())
            .setRequests(rates.requests())
            .setRequestsPerSecond(now.requests())
            .setReadBytesPerSecond(now.read())
            .setWrittenBytesPerSecond(now.written())
            .setInFlight(running.size());
    if (connection != null) {
      status.setPeer(connection.peer());
    }
    return status.build();
  }
}
