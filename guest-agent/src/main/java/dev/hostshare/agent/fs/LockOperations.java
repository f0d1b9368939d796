package dev.hostshare.agent.fs;

import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Getlk;
import dev.hostshare.proto.v1.Lock;
import dev.hostshare.proto.v1.Setlk;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** POSIX record locks and BSD locks. */
public final class LockOperations {
  static final Logger log = LoggerFactory.getLogger(LockOperations.class);

  private final Core core;
  private final AtomicInteger waiting = new AtomicInteger();

  LockOperations(Core core) {
    this.core = core;
  }

  /** The reply is the first lock in the way, or one of type F_UNLCK. */
  public void getlk(RequestContext context, long handle, long owner, Lock lock, Reply<Lock> reply) {
    OpenFile file = core.file(handle, reply);
    if (file == null) {
      return;
    }
    core.start(
        "getlk",
        context,
        reply,
        List.of(file),
        () ->
            ClientFrame.newBuilder()
                .setGetlk(
                    Getlk.newBuilder().setHandle(file.handle()).setOwner(owner).setLock(lock)),
        (frame, generation) -> frame.getLock());
  }

  /**
   * Takes or gives back a lock.
   *
   * <p>Waiting requests hold places among the requests in flight. They may hold half of them; the
   * rest is for those that give locks back, without whom they would all wait for ever. One that
   * finds no place does not wait: if the lock is not free it fails with ENOLCK.
   *
   * @param wait whether to wait until it is free
   * @param flock a whole-file BSD lock of the open file, not a POSIX lock of its process
   */
  public void setlk(
      RequestContext context,
      long handle,
      long owner,
      Lock lock,
      boolean wait,
      boolean flock,
      Reply<Void> reply) {
    OpenFile file = core.file(handle, reply);
    if (file == null) {
      return;
    }
    if (!wait || lock.getType() == Linux.F_UNLCK) {
      set(context, file, owner, lock, false, flock, reply);
    } else if (waiting.incrementAndGet() <= core.session.maxInFlight() / 2) {
      set(context, file, owner, lock, true, flock, new Waiting(reply, Errno.EAGAIN));
    } else {
      set(context, file, owner, lock, false, flock, new Waiting(reply, Errno.ENOLCK));
    }
  }

  private void set(
      RequestContext context,
      OpenFile file,
      long owner,
      Lock lock,
      boolean wait,
      boolean flock,
      Reply<Void> reply) {
    core.start(
        "setlk",
        context,
        reply,
        List.of(file),
        () ->
            ClientFrame.newBuilder()
                .setSetlk(
                    Setlk.newBuilder()
                        .setHandle(file.handle())
                        .setOwner(owner)
                        .setLock(lock)
                        .setWait(wait)
                        .setFlock(flock)),
        (frame, generation) -> {
          file.inode.locks.granted(file, owner, flock, lock);
          return null;
        });
  }

  /** Gives the place of a waiting request back before it passes the answer on. */
  private final class Waiting extends Reply<Void> {
    private final Reply<Void> reply;
    private final int conflict;

    Waiting(Reply<Void> reply, int conflict) {
      this.reply = reply;
      this.conflict = conflict;
    }

    @Override
    protected void sendSuccess(Void value) {
      waiting.decrementAndGet();
      reply.success(null);
    }

    @Override
    protected void sendError(int errno) {
      waiting.decrementAndGet();
      reply.error(errno == Errno.EAGAIN ? conflict : errno);
    }
  }
}
