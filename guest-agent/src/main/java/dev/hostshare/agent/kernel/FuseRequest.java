package dev.hostshare.agent.kernel;

import dev.hostshare.agent.fs.Reply;
import dev.hostshare.agent.fs.RequestContext;
import dev.hostshare.agent.remote.Call;
import dev.hostshare.proto.Errno;

/** One request of the kernel, from its reading to its answer. */
final class FuseRequest implements RequestContext {
  private final FuseDevice device;
  private final PendingRequests pending;
  final long unique;
  final int opcode;
  final long nodeId;
  private final Identity caller;
  private final int thread;

  /** Only touched by the event loop. */
  private Reply<?> reply;

  /** Guarded by this. */
  private Call call;

  /** Guarded by this. */
  private boolean interrupted;

  FuseRequest(
      FuseDevice device,
      PendingRequests pending,
      long unique,
      int opcode,
      long nodeId,
      Identity caller,
      int thread) {
    this.device = device;
    this.pending = pending;
    this.unique = unique;
    this.opcode = opcode;
    this.nodeId = nodeId;
    this.caller = caller;
    this.thread = thread;
  }

  @Override
  public Identity caller() {
    return caller;
  }

  @Override
  public int thread() {
    return thread;
  }

  @Override
  public void waitsFor(Call newCall) {
    boolean cancel;
    synchronized (this) {
      call = newCall;
      cancel = interrupted;
    }
    if (cancel) {
      newCall.cancel();
    }
  }

  /** FUSE_INTERRUPT: passes it to what the request waits for, now and from now on. */
  void interrupt() {
    Call target;
    synchronized (this) {
      interrupted = true;
      target = call;
    }
    if (target != null) {
      target.cancel();
    }
  }

  /** The reply to this request, written in the form of {@code encoder}. To be called once. */
  <T> Reply<T> reply(FuseEncoder<T> encoder) {
    var made = new FuseReply<>(encoder);
    reply = made;
    return made;
  }

  /** Answers with {@code errno} after an exception, unless there was an answer before it. */
  void fail(int errno) {
    Reply<?> made = reply == null ? reply(FuseEncoder.NOTHING) : reply;
    if (!made.isAnswered()) {
      made.error(errno);
    }
  }

  private final class FuseReply<T> extends Reply<T> {
    private final FuseEncoder<T> encoder;

    FuseReply(FuseEncoder<T> encoder) {
      this.encoder = encoder;
    }

    @Override
    protected void sendSuccess(T value) {
      pending.finished(unique);
      try {
        device.reply(unique, encoder, value);
      } catch (RuntimeException | Error e) {
        device.error(unique, Errno.EIO); // else who asked would wait for ever
        throw e;
      }
    }

    @Override
    protected void sendError(int errno) {
      pending.finished(unique);
      device.error(unique, errno);
    }
  }
}
