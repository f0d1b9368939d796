package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Fsync;
import dev.hostshare.proto.v1.Opendir;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.Readdir;
import dev.hostshare.proto.v1.Release;
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

  /** A second: as old as names may be in the kernel's cache. */
  private static final long NAMES_MAX_AGE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Core core;

  DirectoryOperations(Core core) {
    this.core = core;
  }

  public void opendir(RequestContext context, long id, Reply<OpenedFile> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    core.start(
        "opendir",
        context,
        reply,
        List.of(inode),
        () -> ClientFrame.newBuilder().setOpendir(Opendir.newBuilder().setNode(inode.node())),
        (frame, asked) -> {
          Opened opened = frame.getOpened();
          var binding = new OpenFile.Binding(asked.generation(), opened.getHandle());
          boolean good =
              opened.getAttr().getWatched() && core.hasGoodPages(inode, opened.getAttr(), asked);
          if (!good) {
            inode.tell(opened.getAttr(), false);
          }
          return new OpenedFile(core.handles.add(new OpenDirectory(inode, binding)), null, good);
        });
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
        reply.success(list(directory, ahead, offset, cookie, plus, sinks.get()));
        return;
      }
    } catch (ErrnoException e) {
      reply.error(e.errno());
      return;
    }
    giveBack(directory.drop());
    if (plus) {
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
                        .setPlus(plus)),
        (frame, asked) -> {
          directory.inode.touch(); // its access time
          return list(
              directory,
              OpenDirectory.of(frame.getEntries(), asked),
              offset,
              cookie,
              plus,
              sinks.get());
        });
  }

  private <S extends DirectorySink> S list(
      OpenDirectory directory,
      OpenDirectory.Ahead ahead,
      long offset,
      long cookie,
      boolean plus,
      S sink)
      throws ErrnoException {
    int used = 0;
    long after = cookie;
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
    return inode.key.ino();
  }

  private boolean add(OpenDirectory directory, DirEntry entry, Asked asked, DirectorySink sink)
      throws ErrnoException {
    long offset = directory.toOffset(entry.getCookie());
    if (!entry.hasEntry()) {
      return sink.add(offset, entry.getName(), entry.getIno(), entry.getType(), null);
    }
    // An entry that is not added stays in the list, and its lookup count with it. It does not come
    // to
    // that in the kernel driver, the only one that asks for inodes: there, what fits is added.
    NodeEntry node = core.enter(entry.getEntry(), asked, directory.inode, entry.getName());
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
    core.release(directory.binding(), Release.newBuilder(), context, reply);
  }
}
