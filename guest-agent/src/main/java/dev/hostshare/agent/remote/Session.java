package dev.hostshare.agent.remote;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import com.google.protobuf.ByteString;
import dev.hostshare.agent.remote.SessionStatus.State;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.Cancel;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.Hello;
import dev.hostshare.proto.v1.Release;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Share;
import dev.hostshare.proto.v1.Welcome;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session with a file server: sends requests, delivers replies, and survives broken connections.
 * The package's documentation is the manual.
 */
public final class Session implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Session.class);

  private static final int VERSION = 1;

  /** So many requests another may be {@linkplain #call sent} behind. */
  public static final int MAX_AFTER = 64;

  /** In one frame: the server takes no more than {@code Forget} in the contract says. */
  private static final int MAX_FORGETS = 8 << 10;

  /**
   * An attempt that has no welcome after this is given up. A guest without hardware virtualisation
   * takes more than 10 s for the classes of a first TLS handshake.
   */
  private static final int WELCOME_SECONDS = 30;

  private static final int FIRST_BACKOFF_MILLIS = 50;

  /** A handle that is released goes with the next request, at the latest after this. */
  private static final int RELEASE_MILLIS = 5;

  private static final int MAX_UNSENT_RELEASES = 64;

  /** So often a session is resumed to no effect before its requests are given up. */
  private static final int MAX_BREAKS_WITHOUT_REPLY = 3;

  /** A server that is back is found again within this. */
  private static final int LAST_BACKOFF_MILLIS = 1_000;

  private final SessionOptions options;
  private final SessionListener listener;
  private final Transport transport;
  private final ScheduledExecutorService timer;

  /** Sessions of this process, which share its memory. */
  private static final AtomicInteger OPEN = new AtomicInteger();

  private final ByteBudget budget =
      new ByteBudget(
          () ->
              Math.max(
                  SessionOptions.MAX_PAYLOAD,
                  SessionOptions.MAX_BYTES_IN_FLIGHT / Math.max(1, OPEN.get())));
  private final CompletableFuture<Void> firstWelcome = new CompletableFuture<>();

  /** Orders the frames on the stream. Taken before {@link #stateLock}, never after. */
  private final ReentrantLock sendLock = new ReentrantLock();

  private final ReentrantLock stateLock = new ReentrantLock();

  @GuardedBy("stateLock")
  private final CallTable calls = new CallTable();

  @GuardedBy("stateLock")
  private final List<Forget> unsentForgets = new ArrayList<>();

  /** Handles of this session, to go with the next request. */
  @GuardedBy("stateLock")
  private final List<Long> unsentReleases = new ArrayList<>();

  @GuardedBy("stateLock")
  private boolean releasesAreTimed;

  @GuardedBy("stateLock")
  private AttachStream stream;

  @GuardedBy("stateLock")
  private ByteString id = ByteString.EMPTY;

  @GuardedBy("stateLock")
  private Future<?> downTimer;

  @GuardedBy("stateLock")
  private int backoffMillis = FIRST_BACKOFF_MILLIS;

  @GuardedBy("stateLock")
  private long connections;

  @GuardedBy("stateLock")
  private long begunSessions;

  @GuardedBy("stateLock")
  private int breaksWithoutReply;

  private volatile State state = State.CONNECTING;
  private volatile long generation;
  private volatile Welcome welcome = Welcome.getDefaultInstance();
  private volatile List<Share> shares = List.of();

  private Session(SessionOptions options, SessionListener listener, Transport transport) {
    this.options = options;
    this.listener = listener;
    this.transport = transport;
    OPEN.incrementAndGet();
    this.timer =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("hostshare-session").daemon().factory());
  }

  /**
   * Connects and begins a session. Waits for the server's welcome, at most {@value
   * #WELCOME_SECONDS} seconds.
   *
   * @throws SessionException if the server cannot be reached or does not want us
   */
  public static Session connect(SessionOptions options, SessionListener listener)
      throws SessionException {
    var session =
        new Session(options, listener, Transport.create(options.address(), options.security()));
    try {
      session.attach();
      session.firstWelcome.get(WELCOME_SECONDS, TimeUnit.SECONDS);
      return session;
    } catch (ExecutionException e) {
      session.close();
      throw e.getCause() instanceof SessionException known
          ? known
          : new SessionException("cannot begin a session: " + e.getCause(), e.getCause());
    } catch (TimeoutException e) {
      session.close();
      throw SessionException.of(
          options.address(),
          Status.DEADLINE_EXCEEDED.withDescription(
              "no welcome after %d s".formatted(WELCOME_SECONDS)));
    } catch (InterruptedException e) {
      session.close();
      Thread.currentThread().interrupt();
      throw new SessionException("interrupted while connecting", e);
    }
  }

  /**
   * Sends a request, or queues it while the connection is broken or full. Data that it carries is
   * {@linkplain #hold held} by the caller.
   *
   * @param callGeneration the generation that the frame's node ids and handles belong to
   * @param frame the request without seq and acked; not to be touched by the caller any more
   * @param handler told the outcome, perhaps before this method returns
   */
  public Call call(long callGeneration, ClientFrame.Builder frame, ReplyHandler handler) {
    return call(callGeneration, frame, List.of(), handler);
  }

  /**
   * As {@link #call(long, ClientFrame.Builder, ReplyHandler)}, to be done after others, at most
   * {@value #MAX_AFTER}; those that have an answer, or are of another generation, do not count.
   * Only where {@link #keepsOrder}.
   */
  public Call call(
      long callGeneration, ClientFrame.Builder frame, List<Call> after, ReplyHandler handler) {
    var call = new PendingCall(this, frame, handler);
    int refused = 0;
    boolean lost = false;
    sendLock.lock();
    try {
      AttachStream target = null;
      stateLock.lock();
      try {
        if (state == State.DOWN || state == State.CLOSED) {
          refused = state == State.DOWN ? Errno.EIO : Errno.ENOTCONN;
        } else if (callGeneration != generation) {
          lost = true;
        } else {
          for (Call before : after) {
            calls.putAfter(call, before);
          }
          if (calls.add(call, state == State.CONNECTED)) {
            target = stream;
          }
        }
      } finally {
        stateLock.unlock();
      }
      if (target != null) {
        transmit(target, call);
      }
    } finally {
      sendLock.unlock();
    }
    if (refused != 0) {
      tellAbandoned(call, refused);
    } else if (lost) {
      tellLost(call);
    }
    return call;
  }

  /** Gives lookup counts back; those of another generation are void and dropped. */
  public void forget(long callGeneration, Forget forget) {
    int count = forget.getNodesCount();
    if (count <= MAX_FORGETS) {
      send(callGeneration, forget);
      return;
    }
    for (int from = 0; from < count; from += MAX_FORGETS) {
      int to = Math.min(count, from + MAX_FORGETS);
      send(
          callGeneration,
          Forget.newBuilder().addAllNodes(forget.getNodesList().subList(from, to)).build());
    }
  }

  private void send(long callGeneration, Forget forget) {
    sendLock.lock();
    try {
      AttachStream target = null;
      long acked;
      stateLock.lock();
      try {
        acked = calls.acked();
        if (callGeneration == generation) {
          if (state == State.CONNECTED) {
            target = stream;
          } else {
            unsentForgets.add(forget);
          }
        }
      } finally {
        stateLock.unlock();
      }
      if (target != null) {
        target.send(ClientFrame.newBuilder().setAcked(acked).setForget(forget).build());
      }
    } finally {
      sendLock.unlock();
    }
  }

  /**
   * Closes a handle at the server, with the next request or within {@value #RELEASE_MILLIS} ms. For
   * handles without locks. One of another generation is closed already.
   */
  public void release(long callGeneration, long handle) {
    boolean now;
    stateLock.lock();
    try {
      if (callGeneration != generation || state == State.CLOSED) {
        return;
      }
      unsentReleases.add(handle);
      now = unsentReleases.size() >= MAX_UNSENT_RELEASES;
      if (!now && !releasesAreTimed) {
        releasesAreTimed = true;
        var _ = schedule(this::sendReleases, RELEASE_MILLIS);
      }
    } finally {
      stateLock.unlock();
    }
    if (now) {
      sendReleases();
    }
  }

  private void sendReleases() {
    long handle;
    long of;
    stateLock.lock();
    try {
      releasesAreTimed = false;
      if (unsentReleases.isEmpty()) {
        return;
      }
      handle = unsentReleases.removeLast();
      of = generation;
    } finally {
      stateLock.unlock();
    }
    var _ =
        call(
            of,
            ClientFrame.newBuilder().setRelease(Release.newBuilder().setHandle(handle)),
            Ignore.REPLY);
  }

  /**
   * Calls {@code ready} on the thread that replies come on, whenever {@code fd} can be read or is
   * in error; not before it is {@linkplain PolledDescriptor#resume resumed}. If the session is
   * closed first, calls {@code ended} after that: nobody looks at the descriptor any more.
   */
  public PolledDescriptor poll(int fd, Runnable ready, Runnable ended) {
    return transport.poll(fd, ready, ended);
  }

  /**
   * Takes data into the byte budget, from when it is read to when whoever wrote it is answered and
   * the server has it: it may wait before it is sent, and be sent again. Waits while others hold it
   * all, but never on the event loop, which gives their bytes back.
   */
  public void hold(long bytes) {
    budget.acquire(bytes, !transport.inEventLoop());
  }

  /** Gives back what {@link #hold} took. To be called without locks. */
  public void giveBack(long bytes) {
    budget.release(bytes);
  }

  /** Whether the byte budget has something left: if not, the server is behind. */
  public boolean hasRoom() {
    return budget.hasRoom();
  }

  /**
   * Whether no more requests are to be begun, since far too many bytes are in those that are under
   * way; {@code then} is run when they may. For who begins them on the event loop, where {@link
   * #call} never waits.
   */
  public boolean awaitRoom(Runnable then) {
    return budget.awaitRoom(then);
  }

  /** The present session's number; see the package's documentation. Never decreases. */
  public long generation() {
    return generation;
  }

  /** Nodes that the present server lets us have. */
  public int maxNodes() {
    int told = welcome.getMaxNodes();
    return told <= 0 ? Integer.MAX_VALUE : told;
  }

  /** Bytes that one read or write may carry. */
  public int maxPayload() {
    int agreed = welcome.getMaxPayload();
    return agreed == 0 ? SessionOptions.MAX_PAYLOAD : Math.min(agreed, SessionOptions.MAX_PAYLOAD);
  }

  /** Requests that the server works on at once. */
  public int maxInFlight() {
    return Math.max(1, welcome.getMaxInFlight());
  }

  /** Whether the server tells us of changes that others make. */
  public boolean serverWatches() {
    return welcome.getWatches();
  }

  /** Whether the server does requests in the order that is asked for. */
  public boolean keepsOrder() {
    return welcome.getKeepsOrder();
  }

  /** The shares that the server granted when it last welcomed us. */
  public List<Share> shares() {
    return shares;
  }

  public ServerAddress address() {
    return options.address();
  }

  public SessionStatus status() {
    stateLock.lock();
    try {
      return new SessionStatus(
          state,
          welcome.getServer(),
          generation,
          connections,
          calls.inFlight(),
          calls.queued(),
          budget.used());
    } finally {
      stateLock.unlock();
    }
  }

  /**
   * Ends the session, here and at the server; unanswered requests end with ENOTCONN. Waits a moment
   * for the server to hear of it.
   */
  @Override
  public void close() {
    List<PendingCall> abandoned;
    AttachStream last;
    stateLock.lock();
    try {
      if (state == State.CLOSED) {
        return;
      }
      last = state == State.CONNECTED ? stream : null;
      state = State.CLOSED;
      stream = null;
      abandoned = calls.abandon();
    } finally {
      stateLock.unlock();
    }
    OPEN.decrementAndGet();
    timer.shutdownNow();
    budget.open(false);
    abandoned.forEach(call -> tellAbandoned(call, Errno.ENOTCONN));
    if (last != null) {
      sendLock.lock();
      try {
        last.complete();
      } finally {
        sendLock.unlock();
      }
    }
    transport.close();
  }

  void cancel(PendingCall call) {
    boolean withdrawn = false;
    sendLock.lock();
    try {
      AttachStream target = null;
      stateLock.lock();
      try {
        if (calls.withdraw(call)) {
          withdrawn = true;
        } else if (calls.isPending(call) && !call.cancelled) {
          call.cancelled = true;
          target = state == State.CONNECTED ? stream : null;
        }
      } finally {
        stateLock.unlock();
      }
      if (target != null) {
        target.send(cancelFrame(call));
      }
    } finally {
      sendLock.unlock();
    }
    if (withdrawn) {
      tellAbandoned(call, Errno.EINTR);
    }
  }

  void onWelcome(AttachStream from, Welcome received) {
    List<PendingCall> lost = List.of();
    sendLock.lock();
    try {
      List<PendingCall> toSend = new ArrayList<>();
      List<Forget> forgets;
      stateLock.lock();
      try {
        if (from != stream) {
          return;
        }
        boolean resumed = received.getResumed() && !id.isEmpty();
        if (!resumed) {
          lost = calls.restart();
          unsentForgets.clear();
          unsentReleases.clear();
          generation = ++begunSessions;
        }
        id = received.getSession();
        welcome = received;
        state = State.CONNECTED;
        connections++;
        backoffMillis = FIRST_BACKOFF_MILLIS;
        if (downTimer != null) {
          downTimer.cancel(false);
          downTimer = null;
        }
        calls.limit(received.getMaxInFlight());
        toSend.addAll(calls.unanswered());
        for (var next = calls.admit(); next.isPresent(); next = calls.admit()) {
          toSend.add(next.get());
        }
        forgets = List.copyOf(unsentForgets);
        unsentForgets.clear();
        log.info(
            "{}: {} session {} of {}",
            options.address(),
            resumed ? "resumed" : "began",
            generation,
            received.getServer());
      } finally {
        stateLock.unlock();
      }
      budget.open(true);
      for (PendingCall call : toSend) {
        transmit(from, call);
        if (call.cancelled) {
          from.send(cancelFrame(call));
        }
      }
      for (Forget forget : forgets) {
        from.send(ClientFrame.newBuilder().setForget(forget).build());
      }
    } finally {
      sendLock.unlock();
    }
    firstWelcome.complete(null);
    shares = received.getSharesList();
    guarded(() -> listener.onShares(received.getSharesList()));
    lost.forEach(this::tellLost);
  }

  void onFrame(AttachStream from, ServerFrame frame) {
    if (frame.getSeq() == 0) {
      if (frame.hasInvalidate()) {
        guarded(() -> listener.onInvalidate(frame.getInvalidate()));
      } else if (frame.hasSharesChanged()) {
        shares = frame.getSharesChanged().getSharesList();
        guarded(() -> listener.onShares(frame.getSharesChanged().getSharesList()));
      }
      return;
    }
    PendingCall call;
    PendingCall next;
    stateLock.lock();
    try {
      if (from != stream) {
        return;
      }
      breaksWithoutReply = 0;
      call = calls.remove(frame.getSeq());
      next = calls.admit().orElse(null);
    } finally {
      stateLock.unlock();
    }
    if (call == null) {
      log.debug("{}: a reply to request {}, which nobody awaits", address(), frame.getSeq());
    } else {
      guarded(() -> call.handler.onReply(frame));
    }
    if (next != null) {
      sendLock.lock();
      try {
        transmit(from, next);
      } finally {
        sendLock.unlock();
      }
    }
  }

  void onBroken(AttachStream from, Status status) {
    boolean wasConnected;
    stateLock.lock();
    try {
      if (from != stream || state == State.CLOSED) {
        return;
      }
      stream = null;
      if (state == State.CONNECTING) {
        firstWelcome.completeExceptionally(SessionException.of(address(), status));
        return;
      }
      if (++breaksWithoutReply >= MAX_BREAKS_WITHOUT_REPLY
          && (status.getCode() == Status.Code.INVALID_ARGUMENT
              || status.getCode() == Status.Code.RESOURCE_EXHAUSTED)) {
        // What is sent again ends each connection: let go of it, and of the session.
        id = ByteString.EMPTY;
      }
      wasConnected = state == State.CONNECTED;
      if (wasConnected) {
        state = State.RECONNECTING;
        downTimer = schedule(this::declareDown, options.timeout().toMillis());
      }
      var _ = schedule(this::attach, backoffMillis);
      backoffMillis = Math.min(2 * backoffMillis, LAST_BACKOFF_MILLIS);
    } finally {
      stateLock.unlock();
    }
    if (wasConnected) {
      log.warn(
          "{}: connection lost: {}",
          address(),
          SessionException.of(address(), status).getMessage());
      guarded(listener::onDisconnected);
    } else {
      log.debug("{}: not yet back: {}", address(), status);
    }
  }

  private void attach() {
    AttachStream opened;
    Hello hello;
    stateLock.lock();
    try {
      if (state == State.CLOSED || stream != null) {
        return;
      }
      // Our own backoff decides when to try; gRPC's would add to it.
      transport.channel().resetConnectBackoff();
      opened = new AttachStream(this);
      stream = opened;
      hello =
          Hello.newBuilder()
              .setVersion(VERSION)
              .setResume(id)
              .setMaxPayload(SessionOptions.MAX_PAYLOAD)
              .setClient(options.client())
              .build();
      var _ = schedule(() -> giveUp(opened), TimeUnit.SECONDS.toMillis(WELCOME_SECONDS));
    } finally {
      stateLock.unlock();
    }
    opened.open(transport.channel(), hello);
  }

  /** Ends an attempt that the server left without an answer. */
  private void giveUp(AttachStream attempt) {
    boolean waiting;
    stateLock.lock();
    try {
      waiting = attempt == stream && state != State.CONNECTED;
    } finally {
      stateLock.unlock();
    }
    if (waiting) {
      attempt.cancel("no welcome after %d s".formatted(WELCOME_SECONDS), null);
    }
  }

  private void declareDown() {
    List<PendingCall> abandoned;
    stateLock.lock();
    try {
      if (state != State.RECONNECTING) {
        return;
      }
      state = State.DOWN;
      abandoned = calls.abandon();
    } finally {
      stateLock.unlock();
    }
    log.error(
        "{}: away for {} s: requests fail with EIO until it is back",
        address(),
        options.timeout().toSeconds());
    budget.open(false);
    abandoned.forEach(call -> tellAbandoned(call, Errno.EIO));
  }

  private Future<?> schedule(Runnable task, long millis) {
    try {
      return timer.schedule(() -> guarded(task), millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.completedFuture(null); // closed meanwhile
    }
  }

  /** The caller holds the send lock. */
  private void transmit(AttachStream target, PendingCall call) {
    long acked;
    stateLock.lock();
    try {
      acked = calls.acked();
      // They stay in the frame: what is sent again brings them again.
      call.frame.addAllReleased(unsentReleases);
      unsentReleases.clear();
    } finally {
      stateLock.unlock();
    }
    target.send(call.frame.setSeq(call.seq).setAcked(acked).build());
  }

  private static ClientFrame cancelFrame(PendingCall call) {
    return ClientFrame.newBuilder().setCancel(Cancel.newBuilder().setSeq(call.seq)).build();
  }

  private void tellLost(PendingCall call) {
    if (!call.abandoned) {
      guarded(() -> call.handler.onLost(call.sent));
    }
  }

  private void tellAbandoned(PendingCall call, int errno) {
    guarded(() -> call.handler.onAbandoned(errno));
  }

  /** A handler that throws must not end the stream, nor keep others from their answers. */
  @SuppressWarnings("CatchAndPrintStackTrace")
  private void guarded(Runnable handler) {
    try {
      handler.run();
    } catch (Throwable t) {
      log.error("{}: a handler failed", address(), t);
    }
  }
}
