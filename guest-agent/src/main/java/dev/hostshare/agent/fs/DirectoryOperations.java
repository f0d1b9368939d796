package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Detail;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Fsync;
import dev.hostshare.proto.v1.Opendir;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.Readdir;
import dev.hostshare.proto.v1.Release;
import dev.hostshare.proto.v1.ServerFrame;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Listing directories. "." and ".." are made here; the server does not send them. */
public final class DirectoryOperations {
  private static final ByteString DOT = ByteString.copyFromUtf8(".");
  private static final ByteString DOT_DOT = ByteString.copyFromUtf8("..");

  /**
   * 128 KiB of names and attributes at a time: some thousand entries, a millisecond of transport.
   */
  private static final int FETCH_BYTES = 128 << 10;

  /** A hundred entries, come with the open: who opens a directory reads it, mostly. */
  private static final int FIRST_BYTES = 16 << 10;

  /** A second: as old as names may be in the kernel's cache. */
  private static final long NAMES_MAX_AGE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Core core;

  DirectoryOperations(Core core) {
    this.core = core;
  }

  /**
   * Opens a directory. Where the kernel has the whole listing the server is not asked: it opens the
   * directory if it is read all the same. Those that are expected to be opened next are fetched.
   *
   * @param plus whether the kernel begins to read with {@code plus}
   */
  public void opendir(RequestContext context, long id, boolean plus, Reply<OpenedFile> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    if (isKnown(inode)) {
      core.walks.opens(context.thread(), inode);
      local();
      var directory = new OpenDirectory(inode, OpenDirectory.UNBOUND, Detail.ATTRIBUTES);
      reply.success(new OpenedFile(core.handles.add(directory), null, true));
      return;
    }
    if (!plus) {
      open(context, inode, Detail.NAMES, reply);
      return;
    }
    if (!core.policy.watches() || core.policy.perCaller()) {
      open(context, inode, Detail.ATTRIBUTES, reply);
      return;
    }
    Detail detail = core.walks.opens(context.thread(), inode);
    openExpected(context, inode, detail, reply);
    goAhead(context, detail);
  }

  private void local() {
    core.statistics.requests.incrementAndGet();
    core.statistics.local.incrementAndGet();
  }

  /** Fetches what a thread is expected to open next, if it has opened what was expected so far. */
  private void goAhead(RequestContext context, Detail detail) {
    List<Inode> next =
        core.walks.next(context.thread(), this::isOfNoUse, inode -> core.ahead.isAsked(inode));
    if (!next.isEmpty()) {
      core.ahead.ask(next, detail, FIRST_BYTES);
    }
  }

  /** Whether the kernel has the listing, or forgot the directory. */
  private boolean isOfNoUse(Inode inode) {
    return isKnown(inode) || core.inodes.get(inode.id) != inode;
  }

  private void openExpected(
      RequestContext context, Inode inode, Detail detail, Reply<OpenedFile> reply) {
    DirectoriesAhead.Listing listing =
        core.folders.othersAreBusy(inode) ? null : core.ahead.take(inode, detail);
    if (listing != null) {
      local();
      if (detail == Detail.ATTRIBUTES) {
        core.folders.spend(inode);
      }
      reply.success(
          opened(inode, listing.opened(), detail, listing.asked(), inode.unsettle(), true));
    } else if (!core.ahead.await(
        inode,
        context,
        () -> openExpected(context, inode, detail, reply),
        () -> open(context, inode, detail, reply))) {
      open(context, inode, detail, reply);
    }
  }

  private void open(RequestContext context, Inode inode, Detail detail, Reply<OpenedFile> reply) {
    // Whoever checks permissions itself may list what it then cannot have.
    boolean ahead = !core.policy.perCaller();
    if (ahead && detail == Detail.ATTRIBUTES) {
      core.folders.spend(inode);
    }
    long ticket = ahead ? inode.unsettle() : 0;
    core.start(
        "opendir",
        context,
        reply,
        List.of(inode),
        () ->
            ClientFrame.newBuilder()
                .setOpendir(
                    Opendir.newBuilder()
                        .setNode(inode.node())
                        .setMaxSize(ahead ? FIRST_BYTES : 0)
                        .setDetail(detail)),
        new Core.Completion<>() {
          @Override
          public OpenedFile complete(ServerFrame frame, Asked asked) {
            return opened(inode, frame.getOpened(), detail, asked, ticket, ahead);
          }

          @Override
          public OpenedFile failed(ServerFrame frame, Asked asked) throws ErrnoException {
            if (ahead) {
              inode.settle(ticket, null);
            }
            throw new ErrnoException(frame.getErrno());
          }
        });
  }

  /**
   * Takes in what the server said.
   *
   * @param ticket of {@link Inode#unsettle}, if {@code ahead}: entries came with the open
   */
  private OpenedFile opened(
      Inode inode, Opened opened, Detail detail, Asked asked, long ticket, boolean ahead) {
    boolean kept = opened.getAttr().getWatched() && core.isQuiet(inode, asked);
    boolean good =
        opened.getAttr().getWatched() && core.hasGoodPages(inode, opened.getAttr(), asked);
    inode.tell(opened.getAttr(), kept);
    var directory =
        new OpenDirectory(
            inode,
            opened.getHandle() == 0
                ? OpenDirectory.UNBOUND
                : new OpenFile.Binding(asked.generation(), opened.getHandle()),
            detail == Detail.NAMES ? Detail.ATTRIBUTES : detail);
    if (opened.hasEntries()) {
      directory.beginsWith(detail != Detail.NAMES, OpenDirectory.of(opened.getEntries(), asked));
    }
    if (ahead) {
      inode.settle(ticket, kept && opened.hasReadAttr() ? opened.getReadAttr() : null);
    }
    return new OpenedFile(core.handles.add(directory), null, good);
  }

  /**
   * Whether the kernel has the listing, and we would know if it were old. Where others are busy the
   * server is asked, so that what they did just before is seen.
   */
  private boolean isKnown(Inode inode) {
    return inode.hasPages
        && inode.kept
        && core.policy.watches()
        && !core.policy.perCaller()
        && inode.isCurrent(core.session.generation())
        && !core.folders.othersAreBusy(inode);
  }

  /**
   * Lists entries from {@code offset} on (0: the start) into a sink. The reply comes with the sink:
   * an empty one is the end.
   *
   * @param plus whether entries come with their inodes, and a lookup count on each
   * @param sinks makes the sink; called once, on the thread that answers
   */
  public <S extends DirectorySink> void readdir(
      RequestContext context,
      long handle,
      long offset,
      boolean plus,
      Supplier<S> sinks,
      Reply<S> reply) {
    OpenDirectory directory = core.handles.directory(handle);
    if (directory == null) {
      reply.error(Errno.EBADF);
      return;
    }
    long cookie;
    OpenDirectory.Ahead ahead;
    try {
      cookie = offset < Cookies.AFTER_DOT_DOT ? 0 : directory.toCookie(offset);
      ahead =
          directory.take(cookie, plus, plus ? core.policy.attrNanos(false) : NAMES_MAX_AGE_NANOS);
      if (ahead != null && !(ahead.entries().isEmpty() && !ahead.end())) {
        reply.success(list(context, directory, ahead, offset, cookie, plus, sinks.get()));
        return;
      }
    } catch (ErrnoException e) {
      reply.error(e.errno());
      return;
    }
    giveBack(directory.drop());
    Detail detail = plus ? directory.detail : Detail.NAMES;
    if (detail == Detail.ATTRIBUTES) {
      core.folders.spend(directory.inode);
    }
    core.start(
        plus ? "readdirplus" : "readdir",
        context,
        reply,
        List.of(directory),
        () ->
            ClientFrame.newBuilder()
                .setReaddir(
                    Readdir.newBuilder()
                        .setHandle(directory.binding().handle())
                        .setCookie(cookie)
                        .setSize(FETCH_BYTES)
                        .setDetail(detail)),
        (frame, asked) -> {
          directory.inode.touch(); // its access time
          return list(
              context,
              directory,
              OpenDirectory.of(frame.getEntries(), asked),
              offset,
              cookie,
              plus,
              sinks.get());
        });
  }

  private <S extends DirectorySink> S list(
      RequestContext context,
      OpenDirectory directory,
      OpenDirectory.Ahead ahead,
      long offset,
      long cookie,
      boolean plus,
      S sink)
      throws ErrnoException {
    int used = 0;
    long after = cookie;
    if (offset == Cookies.START) {
      directory.begun = ahead.asked();
      directory.begins();
    }
    try {
      if (addDots(directory.inode, offset, sink)) {
        for (DirEntry entry : ahead.entries()) {
          if (!sink.fits(entry.getName().size())) {
            break;
          }
          if (!add(directory, entry, ahead.asked(), sink)) {
            break;
          }
          after = entry.getCookie();
          used++;
        }
        if (ahead.end() && used == ahead.entries().size()) {
          ended(context, directory, plus);
          // The kernel keeps a listing whose end it has seen: a reply with nothing in it.
          if (used == 0 && offset > Cookies.AFTER_DOT && isKept(directory, ahead.asked())) {
            directory.inode.hasPages = true;
          }
        }
      }
    } finally {
      giveBack(
          directory.put(
              after,
              plus,
              new OpenDirectory.Ahead(
                  ahead.entries().subList(used, ahead.entries().size()),
                  ahead.end(),
                  ahead.asked(),
                  ahead.nanos())));
    }
    return sink;
  }

  /** The kernel is told the last of a listing, or that there is no more. */
  private void ended(RequestContext context, OpenDirectory directory, boolean plus) {
    if (plus && core.policy.watches() && !core.policy.perCaller() && directory.ends()) {
      directory.inode.byName = directory.detail == Detail.DIRECTORIES;
      core.walks.listed(
          context.thread(),
          directory.inode,
          directory.subdirectories(),
          directory.files(),
          directory.detail);
      goAhead(context, directory.detail);
    }
  }

  /** Whether nothing has happened to the directory since its listing was begun. */
  private boolean isKept(OpenDirectory directory, Asked asked) {
    Asked begun = directory.begun;
    return begun != null
        && begun.generation() == asked.generation()
        && core.isQuiet(directory.inode, begun);
  }

  /** Adds what of "." and ".." comes at {@code offset}; false if they did not all fit. */
  private boolean addDots(Inode inode, long offset, DirectorySink sink) {
    if (offset == Cookies.START) {
      if (!sink.fits(DOT.size())) {
        return false;
      }
      if (!sink.add(Cookies.AFTER_DOT, DOT, ino(inode), Linux.S_IFDIR, null)) {
        return false;
      }
    }
    if (offset <= Cookies.AFTER_DOT) {
      if (!sink.fits(DOT_DOT.size())) {
        return false;
      }
      Inode parent = inode.parent == null ? inode : inode.parent;
      return sink.add(Cookies.AFTER_DOT_DOT, DOT_DOT, ino(parent), Linux.S_IFDIR, null);
    }
    return true;
  }

  private static long ino(Inode inode) {
    return inode.ino;
  }

  private boolean add(OpenDirectory directory, DirEntry entry, Asked asked, DirectorySink sink)
      throws ErrnoException {
    long offset = directory.toOffset(entry.getCookie());
    if (!entry.hasEntry()) {
      directory.lists(null);
      return sink.add(offset, entry.getName(), entry.getIno(), entry.getType(), null);
    }
    if (!core.hasRoom(entry.getEntry(), asked)) {
      boolean added = sink.add(offset, entry.getName(), entry.getIno(), entry.getType(), null);
      if (added) {
        directory.lists(null);
        core.giveBack(entry.getEntry(), asked.generation());
      }
      return added;
    }
    // An entry that is not added stays in the list, and its lookup count with it. It does not come
    // to that in the kernel driver, the only one that asks for inodes: there, what fits is added.
    NodeEntry node = core.enter(entry.getEntry(), asked, directory.inode, entry.getName());
    directory.lists(entry.getType() == Linux.S_IFDIR ? core.inodes.get(node.id()) : null);
    return sink.add(offset, entry.getName(), entry.getIno(), entry.getType(), node);
  }

  private void giveBack(OpenDirectory.Ahead ahead) {
    for (DirEntry entry : ahead.entries()) {
      if (entry.hasEntry()) {
        core.giveBack(entry.getEntry(), ahead.asked().generation());
      }
    }
  }

  public void fsyncdir(RequestContext context, long handle, boolean datasync, Reply<Void> reply) {
    OpenDirectory directory = core.handles.directory(handle);
    if (directory == null) {
      reply.error(Errno.EBADF);
      return;
    }
    core.start(
        "fsyncdir",
        context,
        reply,
        List.of(directory),
        () ->
            ClientFrame.newBuilder()
                .setFsync(
                    Fsync.newBuilder()
                        .setHandle(directory.binding().handle())
                        .setDatasync(datasync)),
        (frame, asked) -> null);
  }

  public void releasedir(RequestContext context, long handle, Reply<Void> reply) {
    OpenDirectory directory = core.handles.removeDirectory(handle);
    if (directory == null) {
      reply.error(Errno.EBADF);
      return;
    }
    giveBack(directory.drop());
    if (directory.binding().equals(OpenDirectory.UNBOUND)) {
      reply.success(null);
    } else {
      core.release(directory.binding(), Release.newBuilder(), context, reply);
    }
  }
}
