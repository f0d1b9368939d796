package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.remote.PolledDescriptor;
import dev.hostshare.agent.remote.ReplyHandler;
import dev.hostshare.agent.remote.Session;
import dev.hostshare.agent.remote.SessionListener;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.agent.remote.SessionStatus;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Invalidate;
import dev.hostshare.proto.v1.Mount;
import dev.hostshare.proto.v1.Mounted;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Share;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One share of one server as a tree of inodes, independent of how it is mounted. The package's
 * documentation is the manual.
 */
public final class FileSystem implements AutoCloseable {
  private final Share share;
  private final Core core;
  private final Listener listener;
  private final NameOperations names;
  private final AttributeOperations attributes;
  private final FileOperations files;
  private final DirectoryOperations directories;
  private final XattrOperations xattrs;
  private final LockOperations locks;
  private final AtomicBoolean closed = new AtomicBoolean();

  private FileSystem(Share share, Core core, Listener listener) {
    this.share = share;
    this.core = core;
    this.listener = listener;
    this.names = new NameOperations(core);
    this.attributes = new AttributeOperations(core);
    this.files = new FileOperations(core);
    this.directories = new DirectoryOperations(core);
    this.xattrs = new XattrOperations(core);
    this.locks = new LockOperations(core);
  }

  /**
   * Connects to a server and takes a share in.
   *
   * @throws IOException if the server cannot be reached or does not give the share; the message
   *     says what to do
   */
  public static FileSystem connect(SessionOptions options, String sharePath) throws IOException {
    var notifier = new Notifier();
    var listener = new Listener(notifier);
    Session session = null;
    try {
      session = Session.connect(options, listener);
      long generation = session.generation();
      Mounted mounted = mount(session, generation, sharePath);
      var inodes = new InodeTable(mounted.getRoot(), generation);
      var policy = CachePolicy.of(mounted.getShare(), session.serverWatches());
      var core =
          new Core(
              session, sharePath, inodes, policy, notifier, listener.changes, listener.missing);
      Core.MOUNTS.incrementAndGet();
      listener.session = session;
      listener.folders = core.folders;
      listener.ahead = core.ahead;
      listener.inodes = inodes;
      listener.taken(mounted.getShare());
      return new FileSystem(mounted.getShare(), core, listener);
    } catch (IOException | RuntimeException | Error e) {
      notifier.close();
      if (session != null) {
        session.close();
      }
      throw e;
    }
  }

  private static Mounted mount(Session session, long generation, String path) throws IOException {
    var answer = new CompletableFuture<ServerFrame>();
    var _ =
        session.call(
            generation,
            ClientFrame.newBuilder().setMount(Mount.newBuilder().setPath(path)),
            new ReplyHandler() {
              @Override
              public void onReply(ServerFrame frame) {
                answer.complete(frame);
              }

              @Override
              public void onLost(boolean sent) {
                onAbandoned(Errno.EIO);
              }

              @Override
              public void onAbandoned(int errno) {
                answer.completeExceptionally(new ErrnoException(errno));
              }
            });
    try {
      ServerFrame frame = answer.get();
      if (frame.getErrno() == 0) {
        return frame.getMounted();
      }
      throw new IOException(refusal(session, path, frame.getErrno()));
    } catch (ExecutionException e) {
      throw new IOException(
          "server %s went away while it was asked for the share %s"
              .formatted(session.address(), path),
          e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while asking for the share " + path, e);
    }
  }

  private static String refusal(Session session, String path, int errno) {
    String shares = String.join(", ", session.shares().stream().map(Share::getPath).toList());
    String offers = shares.isEmpty() ? "It shares nothing with us." : "It shares: " + shares + ".";
    return switch (errno) {
      case Errno.ENOENT ->
          "server %s has no share %s. %s Add it with `hostshare serve --share %s`."
              .formatted(session.address(), path, offers, path);
      case Errno.EACCES ->
          "server %s does not grant us the share %s (EACCES). %s"
              .formatted(session.address(), path, offers);
      default ->
          "server %s cannot give us the share %s: %s. %s"
              .formatted(session.address(), path, Errno.name(errno), offers);
    };
  }

  /** The share as the server described it when it was taken in. */
  public Share share() {
    return share;
  }

  /** Hears what becomes of the share. Called on the event loop thread; must not block. */
  public interface ShareWatcher {
    /** It is shared in another way now: read-only, say. What is open stays so. */
    void onChanged(Share now);

    /**
     * It is no longer shared, or another folder is at its path: all that is asked of it is refused.
     */
    void onWithdrawn();
  }

  /** Tells {@code watcher} what becomes of the share, and what has become of it until now. */
  public void watchShare(ShareWatcher watcher) {
    listener.watch(watcher);
  }

  public CachePolicy policy() {
    return core.policy;
  }

  public NameOperations names() {
    return names;
  }

  public AttributeOperations attributes() {
    return attributes;
  }

  public FileOperations files() {
    return files;
  }

  public DirectoryOperations directories() {
    return directories;
  }

  public XattrOperations xattrs() {
    return xattrs;
  }

  public LockOperations locks() {
    return locks;
  }

  /** Tells where invalidations go. To be called once, before the first operation. */
  public void attach(KernelCache cache) {
    core.notifier.attach(cache);
  }

  /**
   * As {@link Session#poll}: an operation that is begun on the thread that delivers replies is on
   * its way without another thread, which would be 20 % of the time of most.
   */
  public PolledDescriptor poll(int fd, Runnable ready, Runnable ended) {
    return core.session.poll(fd, ready, ended);
  }

  /** As {@link Session#awaitRoom}. */
  public boolean awaitRoom(Runnable then) {
    return core.session.awaitRoom(then);
  }

  /** What is known and done at this moment, for {@code status}. */
  public Status status() {
    return new Status(
        core.session.status(),
        core.inodes.size(),
        core.handles.size(),
        core.statistics.requests.get(),
        core.statistics.errors.get(),
        core.changes.count(),
        core.statistics.local.get());
  }

  /**
   * What {@link #status} tells.
   *
   * @param inodes inodes that the kernel holds
   * @param handles open files and directories
   * @param requests operations begun since the mount
   * @param errors those that ended with an errno
   * @param invalidations times that the server told us of a change made by others
   * @param local names that were looked up without the server, which had told of the whole folder
   */
  public record Status(
      SessionStatus session,
      int inodes,
      int handles,
      long requests,
      long errors,
      long invalidations,
      long local) {}

  /** Ends the session. Operations under way end with ENOTCONN. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Core.MOUNTS.decrementAndGet();
    }
    core.session.close();
    core.notifier.close();
  }

  /** Passes the server's invalidations on, in their order. */
  private static final class Listener implements SessionListener {
    final Changes changes = new Changes();
    final MissingNames missing = new MissingNames();
    private final Notifier notifier;
    private volatile Session session;
    private volatile Folders folders;
    private volatile DirectoriesAhead ahead;

    /** Set last: there is nothing to invalidate before. */
    private volatile InodeTable inodes;

    /** The share that was taken in; null before. Guarded by this, as is what follows. */
    private Share taken;

    private List<Share> granted = List.of();
    private ShareWatcher watcher;
    private boolean withdrawn;

    Listener(Notifier notifier) {
      this.notifier = notifier;
    }

    synchronized void taken(Share share) {
      taken = share;
    }

    synchronized void watch(ShareWatcher to) {
      watcher = to;
      tell();
    }

    @Override
    public synchronized void onShares(List<Share> shares) {
      granted = shares;
      tell();
    }

    private void tell() {
      if (taken == null || watcher == null || withdrawn) {
        return;
      }
      Share now =
          granted.stream()
              .filter(s -> s.getPath().equals(taken.getPath()))
              .findFirst()
              .orElse(null);
      if (now == null || now.getIdentity() != taken.getIdentity()) {
        withdrawn = true;
        watcher.onWithdrawn();
      } else if (!now.equals(taken)) {
        taken = now;
        watcher.onChanged(now);
      }
    }

    @Override
    public void onInvalidate(Invalidate invalidate) {
      InodeTable known = inodes;
      if (known == null) {
        return; // nothing was told to the kernel yet
      }
      if (invalidate.getNode() == 0) {
        everything(known);
        return;
      }
      long node = invalidate.getNode();
      ByteString name = invalidate.getName();
      // First what is at hand, then the mark that it may have been handed out just before.
      if (name.isEmpty()) {
        folders.changed(node);
      } else {
        folders.changedAhead(node, name);
        Inode directory = known.byNode(node, session.generation());
        if (directory != null) {
          folders.changed(directory, name);
        }
      }
      changes.add(node);
      Inode inode = known.byNode(node, session.generation());
      if (inode == null) {
        return;
      }
      if (name.isEmpty()) {
        content(inode);
        return;
      }
      missing.remove(new MissingNames.Name(inode.id, name));
      notifier.later(() -> notifier.cache().invalidateEntry(inode.id, name));
      Inode child = known.at(inode, name);
      if (child != null) {
        content(child); // it may live on under another name, or open
      }
    }

    private void content(Inode inode) {
      inode.untell();
      notifier.later(
          () -> {
            KernelCache cache = notifier.cache();
            Inode parent = inode.parent;
            if (!cache.invalidateData(inode.id) && parent != null) {
              // The kernel may have been told of it and not yet be done with that. The directory's
              // lock is held until it is.
              cache.invalidateEntry(parent.id, inode.name);
              cache.invalidateData(inode.id);
            }
          });
    }

    private void everything(InodeTable known) {
      folders.clear();
      ahead.clear();
      changes.addAll();
      Collection<Inode> all = known.all();
      all.forEach(Inode::untell);
      List<MissingNames.Name> gone = missing.takeAll();
      notifier.later(
          () -> {
            gone.forEach(n -> notifier.cache().invalidateEntry(n.directory(), n.name()));
            for (Inode inode : all) {
              Inode parent = inode.parent;
              if (parent != null) {
                notifier.cache().invalidateEntry(parent.id, inode.name);
              }
              notifier.cache().invalidateData(inode.id);
            }
          });
    }

    /** What changes until we are connected again we do not hear of. */
    @Override
    public void onDisconnected() {
      InodeTable known = inodes;
      if (known != null) {
        everything(known);
      }
    }
  }
}
