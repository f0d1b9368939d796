package dev.hostshare.agent.fs;

import dev.hostshare.agent.remote.Call;
import dev.hostshare.agent.remote.ReplyHandler;
import dev.hostshare.agent.remote.Session;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.Caller;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.ServerFrame;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One operation on its way to the server and back: the choke point that all of them pass. Gives its
 * targets new numbers when the server lost its session, tries again when that is safe, undoes what
 * a reply brings that comes too late, counts and logs.
 *
 * <p>Begun by a driver's thread; goes on on the thread that delivers replies, or on a virtual
 * thread while it recovers. One at a time, so its fields need no lock: each hand-over happens
 * before the next step.
 */
final class Operation<T> implements ReplyHandler {
  private static final Logger log = LoggerFactory.getLogger("dev.hostshare.agent.operations");

  /**
   * A server that is restarted this often within one operation is not coming back to its senses.
   */
  private static final int MAX_TRIES = 8;

  private final Core core;
  private final String name;
  private final RequestContext context;
  private final Reply<T> reply;
  private final List<Recoverable> targets;
  private final Core.Request request;
  private final Core.Completion<T> completion;
  private final boolean repeatable;
  private final long begun = System.nanoTime();
  private volatile Asked asked;
  private final AtomicInteger tries = new AtomicInteger();
  private volatile ClientFrame.OpCase sentOp;

  /** What it is to be done after, and has been sent behind. */
  private volatile List<PendingWrites.Delivery> writes = List.of();

  Operation(
      Core core,
      String name,
      RequestContext context,
      Reply<T> reply,
      List<Recoverable> targets,
      Core.Request request,
      Core.Completion<T> completion,
      boolean repeatable) {
    this.core = core;
    this.name = name;
    this.context = context;
    this.reply = reply;
    this.targets = targets;
    this.request = request;
    this.completion = completion;
    this.repeatable = repeatable;
  }

  /**
   * Starts right behind writes to its targets that were sent. Only for a repeatable operation: if
   * one of them turns out to be lost or done in part, it is done again after them.
   */
  void startAfter(List<PendingWrites.Delivery> sent) {
    writes = sent;
    start();
  }

  void start() {
    core.statistics.requests.incrementAndGet();
    attempt();
  }

  private void attempt() {
    try {
      if (tries.incrementAndGet() > MAX_TRIES) {
        fail(Errno.EIO);
        return;
      }
      long present = core.session.generation();
      for (Recoverable target : targets) {
        if (!target.isCurrent(present)) {
          core.recovery.recover(targets, this::attempt, this::fail);
          return;
        }
      }
      asked = new Asked(present, core.changes.count(), System.nanoTime());
      ClientFrame.Builder frame = request.frame();
      RequestContext.Identity caller = context.caller();
      if (caller != null) {
        frame.setCaller(caller(caller));
      }
      sentOp = frame.getOpCase();
      List<Call> after =
          writes.isEmpty()
              ? List.of()
              : writes.stream()
                  .map(PendingWrites.Delivery::call)
                  .filter(Objects::nonNull)
                  .distinct()
                  .toList();
      if (after.size() > Session.MAX_AFTER) {
        attemptAfterWrites();
        return;
      }
      context.waitsFor(core.session.call(present, frame, after, this));
    } catch (RuntimeException | Error e) {
      log.error("{}: {} failed", core.share, name, e);
      if (!reply.isAnswered()) {
        fail(Errno.EIO);
      }
    }
  }

  private Caller caller(RequestContext.Identity who) {
    var caller = Caller.newBuilder().setUid(who.uid()).setGid(who.gid()).setPid(who.pid());
    if (core.policy.perCaller()) {
      caller.addAllGroups(SupplementaryGroups.of(who.pid()));
    }
    return caller.build();
  }

  @Override
  public void onReply(ServerFrame frame) {
    if (reply.isAnswered()) {
      LateReply.undo(core, asked.generation(), sentOp, frame);
      return;
    }
    if (!writes.isEmpty() && cameTooEarly(frame)) {
      LateReply.undo(core, asked.generation(), sentOp, frame);
      attemptAfterWrites();
      return;
    }
    T result;
    try {
      if (frame.getErrno() == 0) {
        result = completion.complete(frame, asked);
      } else {
        // A walk that failed half-way brings what it found so far.
        LateReply.undo(core, asked.generation(), sentOp, frame);
        result = completion.failed(frame, asked);
      }
    } catch (ErrnoException e) {
      fail(e.errno());
      return;
    } catch (RuntimeException | Error e) {
      log.error("{}: {}: the reply could not be used", core.share, name, e);
      fail(Errno.EIO);
      return;
    }
    trace(0);
    reply.success(result);
  }

  @Override
  public void onLost(boolean sent) {
    request.lost();
    if (repeatable || !sent) {
      attemptAfterWrites();
    } else {
      log.warn("{}: {}: the server was restarted while it worked on it: EIO", core.share, name);
      fail(Errno.EIO);
    }
  }

  /**
   * Whether a write that this was sent behind was lost with its session, or done in part: then this
   * was done before what goes again.
   */
  private boolean cameTooEarly(ServerFrame frame) {
    // Linux tells an fsync's error once: another would not hear of it.
    boolean isFinal = sentOp == ClientFrame.OpCase.FSYNC && frame.getErrno() != 0;
    return !isFinal && !writes.stream().allMatch(PendingWrites.Delivery::isDoneAtOnce);
  }

  private void attemptAfterWrites() {
    if (writes.isEmpty()) {
      attempt();
    } else {
      writes = List.of();
      core.afterWrites(targets, this::attempt);
    }
  }

  @Override
  public void onAbandoned(int errno) {
    fail(errno);
  }

  private void fail(int errno) {
    core.statistics.errors.incrementAndGet();
    trace(errno);
    reply.error(errno);
  }

  private void trace(int errno) {
    if (log.isDebugEnabled()) {
      log.debug(
          "{}: {} {} {} µs",
          core.share,
          name,
          errno == 0 ? "ok" : Errno.name(errno),
          (System.nanoTime() - begun) / 1000);
    }
  }
}
