package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.remote.ReplyHandler;
import dev.hostshare.agent.remote.Session;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.Release;
import dev.hostshare.proto.v1.ServerFrame;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What the groups of operations share: the session, the tables, the policy. */
final class Core {
  final Session session;

  /** The share's path, for log lines. */
  final String share;

  final InodeTable inodes;
  final HandleTable handles;
  final CachePolicy policy;
  final Recovery recovery;
  final OperationStatistics statistics = new OperationStatistics();
  final Notifier notifier;

  Core(Session session, String share, InodeTable inodes, CachePolicy policy, Notifier notifier) {
    this.session = session;
    this.share = share;
    this.inodes = inodes;
    this.handles = new HandleTable();
    this.policy = policy;
    this.notifier = notifier;
    this.recovery = new Recovery(session, inodes, share);
  }

  /** Builds a request's frame; called when every target has its number in the present session. */
  interface Request {
    ClientFrame.Builder frame();
  }

  /** Makes the result of an operation from the server's reply, which has no errno. */
  interface Completion<T> {
    /**
     * Makes the result; an {@link ErrnoException} is the result, too.
     *
     * @param generation the session that the numbers in the reply belong to
     */
    T complete(ServerFrame frame, long generation) throws ErrnoException;
  }

  /** Starts an operation that may be done twice with the same result. */
  <T> void start(
      String name,
      RequestContext context,
      Reply<T> reply,
      List<Recoverable> targets,
      Request request,
      Completion<T> completion) {
    new Operation<>(this, name, context, reply, targets, request, completion, true).start();
  }

  /**
   * Starts an operation that must not be done twice: if it may have reached a server that has since
   * forgotten about it, it ends with EIO.
   */
  <T> void startOnce(
      String name,
      RequestContext context,
      Reply<T> reply,
      List<Recoverable> targets,
      Request request,
      Completion<T> completion) {
    new Operation<>(this, name, context, reply, targets, request, completion, false).start();
  }

  /** The inode {@code id}, or null after answering ESTALE. */
  Inode inode(long id, Reply<?> reply) {
    Inode inode = inodes.get(id);
    if (inode == null) {
      reply.error(Errno.ESTALE);
    }
    return inode;
  }

  /** The open file {@code handle}, or null after answering EBADF. */
  OpenFile file(long handle, Reply<?> reply) {
    OpenFile file = handles.file(handle);
    if (file == null) {
      reply.error(Errno.EBADF);
    }
    return file;
  }

  /** Whether {@code name} can be sent to the server; answers ENAMETOOLONG or EINVAL if not. */
  boolean nameFits(ByteString name, Reply<?> reply) {
    if (name.size() > Linux.NAME_MAX) {
      reply.error(Errno.ENAMETOOLONG);
      return false;
    }
    if (name.isEmpty()) {
      reply.error(Errno.EINVAL);
      return false;
    }
    return true;
  }

  /** Takes in an entry of a reply and makes of it what the kernel is told. */
  NodeEntry enter(Entry entry, long generation, Inode parent, ByteString name)
      throws ErrnoException {
    Inode inode = inodes.enter(entry, generation, parent, name);
    return new NodeEntry(inode.id, entry.getAttr(), policy.entryNanos(), policy.attrNanos());
  }

  /** Notes that the kernel is told {@code attr} of {@code inode}. */
  NodeAttr told(Inode inode, Attr attr) {
    inode.tell(attr);
    return policy.attr(attr);
  }

  /**
   * Closes a handle at the server. One of a session that is over was closed with it: that is
   * success, and so the request is not repeated.
   */
  void release(
      OpenFile.Binding binding,
      Release.Builder release,
      RequestContext context,
      Reply<Void> reply) {
    ClientFrame.Builder frame =
        ClientFrame.newBuilder().setRelease(release.setHandle(binding.handle()));
    context.waitsFor(
        session.call(
            binding.generation(),
            frame,
            new ReplyHandler() {
              @Override
              public void onReply(ServerFrame answer) {
                if (answer.getErrno() == 0) {
                  reply.success(null);
                } else {
                  reply.error(answer.getErrno());
                }
              }

              @Override
              public void onLost(boolean sent) {
                reply.success(null);
              }

              @Override
              public void onAbandoned(int errno) {
                reply.error(errno);
              }
            }));
  }

  /** Gives an entry back whose lookup count nobody will hold. */
  void giveBack(Entry entry, long generation) {
    session.forget(
        generation,
        Forget.newBuilder()
            .addNodes(Forget.One.newBuilder().setNode(entry.getNode()).setCount(1))
            .build());
  }

  /** Counts of everything that was asked, for {@code status}. */
  static final class OperationStatistics {
    final AtomicLong requests = new AtomicLong();
    final AtomicLong errors = new AtomicLong();
  }
}
