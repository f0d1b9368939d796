package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.remote.Call;
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
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;

/** What the groups of operations share: the session, the tables, the policy. */
final class Core {
  /** Of this process, which share its memory. */
  static final AtomicInteger MOUNTS = new AtomicInteger();

  final Session session;

  /** The share's path, for log lines. */
  final String share;

  final InodeTable inodes;
  final HandleTable handles;
  final CachePolicy policy;
  final Recovery recovery;
  final OperationStatistics statistics = new OperationStatistics();
  final Notifier notifier;

  /** What the server told us of, and so did not tell the kernel's cache. */
  final Changes changes;

  final MissingNames missing;
  final Folders folders = new Folders(this);
  final DirectoriesAhead ahead = new DirectoriesAhead(this);
  final Walks walks = new Walks();
  final Trimmer trimmer;

  Core(
      Session session,
      String share,
      InodeTable inodes,
      CachePolicy policy,
      Notifier notifier,
      Changes changes,
      MissingNames missing) {
    this.session = session;
    this.share = share;
    this.inodes = inodes;
    this.handles = new HandleTable();
    this.policy = policy;
    this.notifier = notifier;
    this.changes = changes;
    this.missing = missing;
    this.recovery = new Recovery(session, inodes, folders, share);
    this.trimmer = new Trimmer(inodes, notifier, this::maxInodes);
  }

  /** How many inodes the kernel may know: what there is memory for, here and at the server. */
  private int maxInodes() {
    // The server keeps directories above those that the kernel knows, and what is told ahead.
    int most = session.maxNodes();
    int there = Math.max(most / 2, most / 10 * 9 - Folders.MAX_HELD);
    return Math.min(InodeTable.limit() / Math.max(1, MOUNTS.get()), there);
  }

  /** Builds a request's frame; called when every target has its number in the present session. */
  interface Request {
    ClientFrame.Builder frame();

    /** It was lost with its session: the next frame is for another. */
    default void lost() {}
  }

  /** Makes the result of an operation from the server's reply, which has no errno. */
  interface Completion<T> {
    /**
     * Makes the result; an {@link ErrnoException} is the result, too.
     *
     * @param asked when the request was sent
     */
    T complete(ServerFrame frame, Asked asked) throws ErrnoException;

    /** Makes the result of a reply that has an errno; that errno, mostly. */
    default T failed(ServerFrame frame, Asked asked) throws ErrnoException {
      throw new ErrnoException(frame.getErrno());
    }
  }

  /**
   * Holds a request's data in the session's byte budget until the reply that this returns is given.
   * May wait, as {@link Session#hold}.
   */
  <T> Reply<T> holding(ByteString data, Reply<T> reply) {
    session.hold(data.size());
    return new Reply<>() {
      @Override
      protected void sendSuccess(T value) {
        session.giveBack(data.size());
        reply.success(value);
      }

      @Override
      protected void sendError(int errno) {
        session.giveBack(data.size());
        reply.error(errno);
      }
    };
  }

  /** Starts an operation that may be done twice with the same result. */
  <T> void start(
      String name,
      RequestContext context,
      Reply<T> reply,
      List<Recoverable> targets,
      Request request,
      Completion<T> completion) {
    var op = new Operation<>(this, name, context, reply, targets, request, completion, true);
    List<PendingWrites.Delivery> writes = session.keepsOrder() ? sentWrites(targets) : null;
    if (writes == null) {
      afterWrites(targets, op::start);
    } else {
      op.startAfter(writes);
    }
  }

  /**
   * As {@link #start}, but not sent before the server has all writes to the targets: for what lets
   * others in, who must not see a part of them.
   */
  <T> void startWhenWritten(
      String name,
      RequestContext context,
      Reply<T> reply,
      List<Recoverable> targets,
      Request request,
      Completion<T> completion) {
    var op = new Operation<>(this, name, context, reply, targets, request, completion, true);
    afterWrites(targets, op::start);
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
    var op = new Operation<>(this, name, context, reply, targets, request, completion, false);
    afterWrites(targets, op::start);
  }

  /** The targets' writes that are under way; null if one of them cannot be followed. */
  private static List<PendingWrites.Delivery> sentWrites(List<Recoverable> targets) {
    List<PendingWrites.Delivery> sent = List.of();
    for (Recoverable target : targets) {
      PendingWrites writes = target.pendingWrites();
      if (writes != null) {
        if (sent.isEmpty()) {
          sent = new ArrayList<>();
        }
        if (!writes.addSent(sent)) {
          return null;
        }
      }
    }
    return sent;
  }

  /** Runs {@code then} when the server has all that was written to the targets. */
  void afterWrites(Collection<? extends Recoverable> targets, Runnable then) {
    afterWrites(targets.iterator(), then);
  }

  private void afterWrites(Iterator<? extends Recoverable> targets, Runnable then) {
    while (targets.hasNext()) {
      PendingWrites writes = targets.next().pendingWrites();
      if (writes != null && writes.await(() -> afterWrites(targets, then))) {
        return;
      }
    }
    then.run();
  }

  /**
   * Starts a write that the caller has been told is done: ahead of all that waits for it.
   *
   * @param sent told what it was sent with, each time it is
   */
  void startWrite(
      OpenFile file,
      Consumer<Call> sent,
      Reply<Long> reply,
      Request request,
      Completion<Long> completion) {
    var context =
        new RequestContext() {
          @Override
          public Identity caller() {
            return null;
          }

          @Override
          public void waitsFor(Call call) {
            sent.accept(call);
          }
        };
    new Operation<>(this, "write", context, reply, List.of(file), request, completion, true)
        .start();
  }

  /**
   * Wraps what completes an operation on a name in a directory; called when the operation begins.
   */
  <T> Completion<T> changing(Inode directory, ByteString name, Completion<T> completion) {
    return changing(directory, name, ServerFrame::getParent, completion);
  }

  /** As {@link #changing(Inode, ByteString, Completion)}, for a rename. */
  <T> Completion<T> changing(
      Inode directory,
      ByteString name,
      Inode newDirectory,
      ByteString newName,
      Completion<T> completion) {
    if (directory != newDirectory) {
      return changing(
          directory,
          name,
          ServerFrame::getParent,
          changing(newDirectory, newName, ServerFrame::getNewParent, completion));
    }
    folders.touch(directory, newName);
    return changing(
        directory,
        name,
        (frame, asked) -> {
          folders.touch(directory, newName);
          return completion.complete(frame, asked);
        });
  }

  private <T> Completion<T> changing(
      Inode directory,
      ByteString name,
      Function<ServerFrame, Attr> attributes,
      Completion<T> completion) {
    long ticket = directory.unsettle();
    directory.hasPages = false; // the kernel drops its listing
    folders.touch(directory, name);
    return new Completion<>() {
      @Override
      public T complete(ServerFrame frame, Asked asked) throws ErrnoException {
        folders.touch(directory, name);
        try {
          return completion.complete(frame, asked);
        } finally {
          Attr attr = attributes.apply(frame);
          boolean kept = attr.getWatched() && !policy.perCaller() && isQuiet(directory, asked);
          directory.settle(ticket, kept ? attr : null);
        }
      }

      @Override
      public T failed(ServerFrame frame, Asked asked) throws ErrnoException {
        folders.touch(directory, name);
        directory.settle(ticket, null);
        return completion.failed(frame, asked);
      }
    };
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

  /** Whether there is memory for an inode more; answers ENOMEM if not. */
  boolean hasRoom(Reply<?> reply) {
    if (trimmer.isFull()) {
      reply.error(Errno.ENOMEM);
      return false;
    }
    return true;
  }

  /** Whether there is memory for the inode of an entry: it may be known. */
  boolean hasRoom(Entry entry, Asked asked) {
    return !trimmer.isFull() || inodes.knows(entry, asked.generation());
  }

  /** Takes in an entry of a reply and makes of it what the kernel is told. */
  NodeEntry enter(Entry entry, Asked asked, Inode parent, ByteString name) throws ErrnoException {
    Inode inode = inodes.enter(entry, asked.generation(), parent, name);
    trimmer.check();
    folders.entered(inode, entry, asked.generation());
    if (parent != null) {
      folders.touch(parent, name);
      // What is changed from here on, the kernel knows better than what was listed before.
      ahead.forget(parent.id);
    }
    long directory = parent == null ? entry.getNode() : parent.node();
    boolean quiet =
        changes.quiet(asked.changes(), entry.getNode(), directory)
            && !inode.isChangedSince(asked.nanos());
    Attr attr = entry.getAttr();
    PendingWrites writes = inode.pendingWrites();
    long written = writes == null ? -1 : writes.sizeSince(asked.nanos());
    if (written >= 0) {
      // It was looked at while writes were on their way that the kernel knows to be done.
      attr = attr.toBuilder().setSize(Math.max(attr.getSize(), written)).build();
      quiet = false;
    }
    dropOldPages(inode, attr, quiet);
    boolean kept = quiet && attr.getWatched();
    inode.tell(attr, kept);
    return new NodeEntry(
        inode.id,
        attr,
        quiet ? policy.entryNanos(entry.getNameWatched()) : 0,
        quiet ? policy.attrNanos(kept) : 0);
  }

  /** Notes that the kernel is told {@code attr} of {@code inode}. */
  NodeAttr told(Inode inode, Attr attr, Asked asked) {
    boolean quiet = isQuiet(inode, asked);
    dropOldPages(inode, attr, quiet);
    return tell(inode, attr, quiet);
  }

  /** As {@link #told}, after a change that the kernel asked for, and made to its pages itself. */
  NodeAttr toldByUs(Inode inode, Attr attr, Asked asked) {
    return tell(inode, attr, isQuiet(inode, asked));
  }

  private NodeAttr tell(Inode inode, Attr attr, boolean quiet) {
    boolean kept = quiet && attr.getWatched();
    inode.tell(attr, kept);
    return new NodeAttr(attr, quiet ? policy.attrNanos(kept) : 0);
  }

  /** Whether nothing was told of a change to it since. */
  boolean isQuiet(Inode inode, Asked asked) {
    return changes.quiet(asked.changes(), inode.node(), inode.node());
  }

  /**
   * Whether the pages that the kernel has of {@code inode} are good, now that it has the attributes
   * {@code now}. If others' changes are told, those that we know of are our own, and the kernel has
   * made them to its pages; otherwise all we can do is to compare.
   */
  boolean hasGoodPages(Inode inode, Attr now, Asked asked) {
    Told told = inode.told;
    return told != null
        && ((inode.kept && inode.changedByUs && now.getWatched() && isQuiet(inode, asked))
            || told.sameContent(now));
  }

  /**
   * Drops pages that others made old. The kernel leaves it to us where the server watches
   * (FUSE_EXPLICIT_INVAL_DATA); what is watched, others did not change.
   */
  private void dropOldPages(Inode inode, Attr now, boolean quiet) {
    Told told = inode.told;
    boolean ours = quiet && inode.kept && now.getWatched();
    if (policy.watches() && told != null && !ours && !told.sameContent(now)) {
      inode.hasPages = false;
      notifier.later(() -> notifier.cache().invalidateData(inode.id));
    }
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
    folders.givenBack(entry);
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
    final AtomicLong local = new AtomicLong();
  }
}
