package dev.hostshare.agent.fs;

import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Getlk;
import dev.hostshare.proto.v1.Lock;
import dev.hostshare.proto.v1.Setlk;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** POSIX record locks and BSD locks. */
public final class LockOperations {
  static final Logger log = LoggerFactory.getLogger(LockOperations.class);

  private final Core core;
  private final WaitGraph waitGraph = new WaitGraph();

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
        (frame, asked) -> frame.getLock());
  }

  /**
   * Takes or gives back a lock.
   *
   * <p>A lock that waits has no place among the requests in flight, so that those who hold it can
   * give it back. The server bounds how many wait: one more is ENOLCK.
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
    boolean waits = wait && lock.getType() != Linux.F_UNLCK;
    Reply<Void> answer = reply;
    if (waits && !flock) {
      if (!waitGraph.begin(owner, file.inode, lock)) {
        reply.error(Errno.EDEADLK);
        return;
      }
      answer = new EndOfWait(owner, reply);
    }
    core.startWhenWritten(
        "setlk",
        context,
        answer,
        List.of(file),
        () ->
            ClientFrame.newBuilder()
                .setSetlk(
                    Setlk.newBuilder()
                        .setHandle(file.handle())
                        .setOwner(owner)
                        .setLock(lock)
                        .setWait(waits)
                        .setFlock(flock)),
        (frame, asked) -> {
          file.inode.takesLocks().granted(file, owner, flock, lock);
          return null;
        });
  }

  /** Takes a wait off the graph before it passes the answer on. */
  private final class EndOfWait extends Reply<Void> {
    private final long owner;
    private final Reply<Void> reply;

    EndOfWait(long owner, Reply<Void> reply) {
      this.owner = owner;
      this.reply = reply;
    }

    @Override
    protected void sendSuccess(Void value) {
      waitGraph.end(owner);
      reply.success(null);
    }

    @Override
    protected void sendError(int errno) {
      waitGraph.end(owner);
      reply.error(errno);
    }
  }
}
