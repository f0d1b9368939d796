package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.remote.Ignore;
import dev.hostshare.agent.remote.ReplyHandler;
import dev.hostshare.agent.remote.Session;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.Caller;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.Lock;
import dev.hostshare.proto.v1.Mount;
import dev.hostshare.proto.v1.Open;
import dev.hostshare.proto.v1.Opendir;
import dev.hostshare.proto.v1.Release;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Setlk;
import dev.hostshare.proto.v1.Walk;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds again, at a server that was restarted, what the session before knew: inodes by walking
 * their names down from the root and comparing identities, open files by opening them, locks by
 * taking them. Done when something is used, not at once: most of what the kernel remembers it never
 * asks about again.
 *
 * <p>Blocks, so each recovery runs on a virtual thread of its own; one lock lets one run at a time,
 * so that none is done twice.
 */
final class Recovery {
  private static final Logger log = LoggerFactory.getLogger(Recovery.class);

  /** What was open stays open, whoever happens to use it first: so it is root that asks. */
  private static final Caller ROOT = Caller.newBuilder().setUid(0).setGid(0).build();

  private final Session session;
  private final InodeTable inodes;
  private final Folders folders;
  private final String share;
  private final ReentrantLock lock = new ReentrantLock();

  Recovery(Session session, InodeTable inodes, Folders folders, String share) {
    this.session = session;
    this.inodes = inodes;
    this.folders = folders;
    this.share = share;
  }

  /** Recovers {@code targets}, then calls one of the two, on a virtual thread; returns at once. */
  void recover(List<Recoverable> targets, Runnable then, IntConsumer otherwise) {
    Thread.ofVirtual()
        .name("hostshare-recovery")
        .start(
            () -> {
              int errno = 0;
              lock.lock();
              try {
                for (Recoverable target : targets) {
                  long present = session.generation();
                  if (!target.isCurrent(present)) {
                    target.recover(this, present);
                  }
                }
              } catch (LostAgain e) {
                log.debug("the server was restarted during recovery; trying again");
              } catch (ErrnoException e) {
                errno = e.errno();
              } catch (InterruptedException e) {
                errno = Errno.EINTR;
              } catch (RuntimeException | Error e) {
                log.error("recovery failed", e);
                errno = Errno.EIO;
              } finally {
                lock.unlock();
              }
              if (errno == 0) {
                then.run();
              } else {
                otherwise.accept(errno);
              }
            });
  }

  /** Gives {@code inode} its number in the session {@code generation}. */
  void rebind(Inode inode, long generation) throws ErrnoException, InterruptedException {
    if (inode.isCurrent(generation)) {
      return;
    }
    Entry found;
    if (inode == inodes.root()) {
      found =
          ask(ClientFrame.newBuilder().setMount(Mount.newBuilder().setPath(share)), generation)
              .getMounted()
              .getRoot();
    } else {
      Inode parent = inode.parent;
      ByteString name = inode.name;
      if (parent == null) {
        throw new ErrnoException(Errno.ESTALE);
      }
      rebind(parent, generation);
      found = walk(parent, name, generation);
    }
    if (!inodes.rebind(inode, found, generation)) {
      session.forget(
          generation,
          Forget.newBuilder()
              .addNodes(Forget.One.newBuilder().setNode(found.getNode()).setCount(1))
              .build());
      log.warn("{}: another file has its name now: ESTALE", name(inode));
      throw new ErrnoException(Errno.ESTALE);
    }
    // It was the kernel's all the time: what was told ahead does not know of our changes to it.
    folders.givenBack(found);
    if (inode.parent != null) {
      folders.touch(inode.parent, inode.name);
    }
  }

  private Entry walk(Inode parent, ByteString name, long generation)
      throws ErrnoException, InterruptedException {
    ServerFrame frame =
        send(
            ClientFrame.newBuilder()
                .setWalk(Walk.newBuilder().setNode(parent.node()).addNames(name)),
            generation);
    if (frame.getWalked().getEntriesCount() == 1) {
      return frame.getWalked().getEntries(0);
    }
    throw new ErrnoException(frame.getErrno() == Errno.ENOENT ? Errno.ESTALE : frame.getErrno());
  }

  /** Opens {@code file} again and takes its locks again. */
  void reopen(OpenFile file, long generation) throws ErrnoException, InterruptedException {
    if (file.lost != 0) {
      throw new ErrnoException(file.lost);
    }
    try {
      rebind(file.inode, generation);
      long handle =
          ask(
                  ClientFrame.newBuilder()
                      .setOpen(
                          Open.newBuilder()
                              .setNode(file.inode.node())
                              .setFlags(file.reopenFlags())),
                  generation)
              .getOpened()
              .getHandle();
      retakeLocks(file, handle, generation);
      file.binding = new OpenFile.Binding(generation, handle);
    } catch (ErrnoException e) {
      log.warn(
          "{}: cannot be opened again after the server's restart: {}",
          name(file.inode),
          Errno.name(e.errno()));
      throw e;
    }
  }

  /**
   * Takes the locks of a file again. If another has got one meanwhile, the file is lost for good:
   * who believes to hold the lock must not go on.
   */
  private void retakeLocks(OpenFile file, long handle, long generation)
      throws ErrnoException, InterruptedException {
    for (LockLedger.Held held : file.inode.locks().through(file)) {
      try {
        relock(handle, held, generation);
      } catch (ErrnoException e) {
        if (e.errno() == Errno.EAGAIN || e.errno() == Errno.EACCES) {
          file.lost = Errno.EIO;
        }
        var _ =
            session.call(
                generation,
                ClientFrame.newBuilder().setRelease(Release.newBuilder().setHandle(handle)),
                Ignore.REPLY);
        throw new ErrnoException(Errno.EIO);
      }
    }
  }

  private void relock(long handle, LockLedger.Held held, long generation)
      throws ErrnoException, InterruptedException {
    ask(
        ClientFrame.newBuilder()
            .setSetlk(
                Setlk.newBuilder()
                    .setHandle(handle)
                    .setOwner(held.owner())
                    .setFlock(held.flock())
                    .setLock(
                        Lock.newBuilder()
                            .setType(held.type())
                            .setStart(held.start())
                            .setEnd(held.end())
                            .setPid(held.pid()))),
        generation);
  }

  /** Opens {@code directory} again. */
  void reopen(OpenDirectory directory, long generation)
      throws ErrnoException, InterruptedException {
    rebind(directory.inode, generation);
    long handle =
        ask(
                ClientFrame.newBuilder()
                    .setOpendir(Opendir.newBuilder().setNode(directory.inode.node())),
                generation)
            .getOpened()
            .getHandle();
    directory.bind(new OpenFile.Binding(generation, handle));
  }

  private ServerFrame ask(ClientFrame.Builder frame, long generation)
      throws ErrnoException, InterruptedException {
    ServerFrame reply = send(frame, generation);
    if (reply.getErrno() != 0) {
      throw new ErrnoException(reply.getErrno());
    }
    return reply;
  }

  /** Waits for the reply: bounded, since a session that stays away is declared down. */
  private ServerFrame send(ClientFrame.Builder frame, long generation)
      throws ErrnoException, InterruptedException {
    var reply = new Awaited();
    var _ = session.call(generation, frame.setCaller(ROOT), reply);
    try {
      return reply.future.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case ErrnoException errno -> throw new ErrnoException(errno.errno());
        case LostAgain again -> throw new LostAgain();
        default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  private static String name(Inode inode) {
    return inode.name == null ? "inode " + inode.id : inode.name.toStringUtf8();
  }

  private static final class LostAgain extends RuntimeException {
    @java.io.Serial private static final long serialVersionUID = 1;

    LostAgain() {
      super(null, null, false, false);
    }
  }

  private static final class Awaited implements ReplyHandler {
    final CompletableFuture<ServerFrame> future = new CompletableFuture<>();

    @Override
    public void onReply(ServerFrame frame) {
      future.complete(frame);
    }

    @Override
    public void onLost(boolean sent) {
      future.completeExceptionally(new LostAgain());
    }

    @Override
    public void onAbandoned(int errno) {
      future.completeExceptionally(new ErrnoException(errno));
    }
  }
}
