package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.CopyFileRange;
import dev.hostshare.proto.v1.Create;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Fallocate;
import dev.hostshare.proto.v1.Flush;
import dev.hostshare.proto.v1.Fsync;
import dev.hostshare.proto.v1.Lseek;
import dev.hostshare.proto.v1.Open;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.Read;
import dev.hostshare.proto.v1.Release;
import dev.hostshare.proto.v1.Tmpfile;
import dev.hostshare.proto.v1.Write;
import java.util.List;

/** Open files and their content. Offsets and lengths are in bytes. */
public final class FileOperations {
  /** 16 KiB: copied in some 5 µs, where a round trip costs 70; most source files are smaller. */
  private static final int MAX_CONTENT = 16 << 10;

  private final Core core;
  private final WriteBehind writeBehind;

  FileOperations(Core core) {
    this.core = core;
    this.writeBehind = new WriteBehind(core);
  }

  /** The most bytes that one read or write may ask for. */
  public int maxPayload() {
    return core.session.maxPayload();
  }

  /**
   * Opens an inode.
   *
   * <p>Close-to-open: if the file is not as the kernel was last told, the kernel's attributes are
   * dropped before the reply, and the reply says that its pages are not good any more.
   *
   * @param flags as open(2), O_TRUNC included
   */
  public void open(
      RequestContext context, long id, int flags, boolean killSuidgid, Reply<OpenedFile> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    long mark = wantsContent(inode, flags) ? inode.mark() : -1;
    core.start(
        "open",
        context,
        reply,
        List.of(inode),
        () ->
            frame()
                .setOpen(
                    Open.newBuilder()
                        .setNode(inode.node())
                        .setFlags(flags)
                        .setKillSuidgid(killSuidgid)
                        .setMaxContent(mark < 0 ? 0 : MAX_CONTENT)),
        (frame, asked) -> {
          Opened opened = frame.getOpened();
          boolean good = core.hasGoodPages(inode, opened.getAttr(), asked);
          if (!good) {
            inode.tell(opened.getAttr(), false);
            inode.hasPages = false;
            core.notifier.cache().invalidateAttributes(inode.id);
          } else if (!opened.getContent().isEmpty()) {
            give(inode, opened, asked, mark);
          }
          return new OpenedFile(add(inode, flags, opened, asked), null, good);
        });
  }

  /** Whether a file's content is to come with the reply to its open. */
  private boolean wantsContent(Inode inode, int flags) {
    Told told = inode.told;
    return told != null
        && inode.kept
        && told.size() > 0
        && told.size() <= MAX_CONTENT
        && !inode.hasPages
        && !inode.isOpen()
        && (flags & Linux.O_ACCMODE) != Linux.O_WRONLY
        && (flags & (Linux.O_TRUNC | Linux.O_DIRECT)) == 0
        && core.notifier.cache().takesContent();
  }

  /**
   * Gives the kernel a file's content before it asks for it: a round trip less for who reads it.
   * Not while it is open: a page that is being read is locked until this thread has delivered its
   * reply. And not if any change could have come between.
   */
  private void give(Inode inode, Opened opened, Asked asked, long mark) {
    if (!inode.isOpen()
        && opened.getContent().size() == opened.getAttr().getSize()
        && opened.getAttr().getWatched()
        && core.isQuiet(inode, asked)
        && inode.isUntouchedSince(mark)) {
      core.notifier.cache().storeContent(inode.id, opened.getContent());
      inode.hasPages = true;
    }
  }

  /** Makes a file and opens it, or opens what is there if {@code flags} lacks O_EXCL. */
  public void create(
      RequestContext context,
      long parentId,
      ByteString name,
      int mode,
      int umask,
      int flags,
      boolean killSuidgid,
      Reply<OpenedFile> reply) {
    Inode parent = core.inode(parentId, reply);
    if (parent == null || !core.nameFits(name, reply) || !core.hasRoom(reply)) {
      return;
    }
    Core.Request request =
        () ->
            frame()
                .setCreate(
                    Create.newBuilder()
                        .setParent(parent.node())
                        .setName(name)
                        .setMode(mode)
                        .setUmask(umask)
                        .setFlags(flags)
                        .setKillSuidgid(killSuidgid));
    Core.Completion<OpenedFile> completion =
        core.changing(
            parent, name, (frame, asked) -> entered(frame.getOpened(), asked, parent, name, flags));
    if ((flags & Linux.O_EXCL) != 0) {
      core.startOnce("create", context, reply, List.of(parent), request, completion);
    } else {
      core.start("create", context, reply, List.of(parent), request, completion);
    }
  }

  /** Makes a file without a name in a directory, and opens it. */
  public void tmpfile(
      RequestContext context,
      long parentId,
      int mode,
      int umask,
      int flags,
      Reply<OpenedFile> reply) {
    Inode parent = core.inode(parentId, reply);
    if (parent == null || !core.hasRoom(reply)) {
      return;
    }
    core.start(
        "tmpfile",
        context,
        reply,
        List.of(parent),
        () ->
            frame()
                .setTmpfile(
                    Tmpfile.newBuilder()
                        .setParent(parent.node())
                        .setMode(mode)
                        .setUmask(umask)
                        .setFlags(flags)),
        (frame, asked) -> entered(frame.getOpened(), asked, null, null, flags));
  }

  private OpenedFile entered(Opened opened, Asked asked, Inode parent, ByteString name, int flags)
      throws ErrnoException {
    Entry told = opened.getEntry();
    Inode known = core.inodes.byNode(told.getNode(), asked.generation());
    boolean good = known != null && core.hasGoodPages(known, told.getAttr(), asked);
    NodeEntry entry = core.enter(told, asked, parent, name);
    long handle = add(core.inodes.get(entry.id()), flags, opened, asked);
    return new OpenedFile(handle, entry, good);
  }

  private long add(Inode inode, int flags, Opened opened, Asked asked) {
    if ((flags & Linux.O_TRUNC) != 0) {
      inode.truncated();
    }
    inode.opened();
    return core.handles.add(
        new OpenFile(inode, flags, new OpenFile.Binding(asked.generation(), opened.getHandle())));
  }

  /**
   * Reads; what comes back is shorter than {@code size} only at the end of the file, and valid
   * until {@code reply} has taken it.
   */
  public void read(
      RequestContext context, long handle, long offset, int size, Reply<ByteString> reply) {
    OpenFile file = core.file(handle, reply);
    if (file == null) {
      return;
    }
    core.start(
        "read",
        context,
        reply,
        List.of(file),
        () ->
            frame()
                .setRead(
                    Read.newBuilder().setHandle(file.handle()).setOffset(offset).setSize(size)),
        (frame, asked) -> {
          file.inode.hasPages = true;
          return frame.getData();
        });
  }

  /**
   * Writes; the reply is the number of bytes written. May wait for the session's byte budget.
   *
   * <p>With O_APPEND the data goes to the end of the file as the server knows it. The kernel has
   * put it into its page cache where it thought the end was; if that was elsewhere, those pages are
   * dropped.
   */
  public void write(
      RequestContext context,
      long handle,
      long offset,
      ByteString data,
      boolean killSuidgid,
      Reply<Long> reply) {
    OpenFile file = core.file(handle, reply);
    if (file == null) {
      return;
    }
    Core.Request request =
        () ->
            frame()
                .setWrite(
                    Write.newBuilder()
                        .setHandle(file.handle())
                        .setOffset(offset)
                        .setData(data)
                        .setKillSuidgid(killSuidgid));
    Core.Completion<Long> completion =
        (frame, asked) -> {
          file.inode.changeContent();
          if (file.appends() && frame.getWritten().getOffset() != offset) {
            // After the reply: the kernel holds the pages locked until it has it.
            core.notifier.later(() -> core.notifier.cache().invalidateData(file.inode.id));
          }
          return frame.getWritten().getCount();
        };
    if (file.appends()) {
      Reply<Long> told = core.holding(data, reply);
      core.startOnce("append", context, told, List.of(file), request, completion);
    } else if (killSuidgid || !writeBehind.write(file, offset, data, reply)) {
      Reply<Long> told = core.holding(data, reply);
      core.start("write", context, told, List.of(file), request, completion);
    }
  }

  /** Throws the error of a write that had been answered before, if it is one. */
  private static Void tell(int errno) throws ErrnoException {
    if (errno != 0) {
      throw new ErrnoException(errno);
    }
    return null;
  }

  /**
   * close(2) of one descriptor.
   *
   * <p>Waits until the server has every write, and tells the error if one failed. The server need
   * only hear of it where the closing process has locks.
   */
  public void flush(RequestContext context, long handle, long lockOwner, Reply<Void> reply) {
    OpenFile file = core.file(handle, reply);
    if (file == null) {
      return;
    }
    if (!file.inode.locks().dropPosix(lockOwner)) {
      core.afterWrites(
          List.of(file),
          () -> {
            int errno = file.takeError();
            if (errno == 0) {
              reply.success(null);
            } else {
              reply.error(errno);
            }
          });
      return;
    }
    core.startWhenWritten(
        "flush",
        context,
        reply,
        List.of(file),
        () -> frame().setFlush(Flush.newBuilder().setHandle(file.handle()).setLockOwner(lockOwner)),
        (frame, asked) -> tell(file.takeError()));
  }

  /** Tells of a write that failed after it was answered, once for each open file. */
  public void fsync(RequestContext context, long handle, boolean datasync, Reply<Void> reply) {
    OpenFile file = core.file(handle, reply);
    if (file == null) {
      return;
    }
    core.start(
        "fsync",
        context,
        reply,
        List.of(file),
        () -> frame().setFsync(Fsync.newBuilder().setHandle(file.handle()).setDatasync(datasync)),
        (frame, asked) -> tell(file.takeSyncError()));
  }

  /** The last close. The handle is gone in any case; nobody hears of an error. */
  public void release(
      RequestContext context, long handle, boolean unlockFlock, long lockOwner, Reply<Void> reply) {
    OpenFile file = core.handles.removeFile(handle);
    if (file == null) {
      reply.error(Errno.EBADF);
      return;
    }
    file.inode.closed();
    boolean locked = unlockFlock || !file.inode.locks().through(file).isEmpty();
    file.inode.locks().dropFlock(file);
    if (!locked && (file.flags & Linux.O_ACCMODE) == Linux.O_RDONLY) {
      // Nothing at the host depends on it: with the next request will do.
      core.session.release(file.binding.generation(), file.binding.handle());
      reply.success(null);
      return;
    }
    core.afterWrites(
        List.of(file),
        () ->
            core.release(
                file.binding,
                Release.newBuilder().setUnlockFlock(unlockFlock).setLockOwner(lockOwner),
                context,
                reply));
  }

  /** {@code mode}: as fallocate(2). */
  public void fallocate(
      RequestContext context, long handle, int mode, long offset, long length, Reply<Void> reply) {
    OpenFile file = core.file(handle, reply);
    if (file == null) {
      return;
    }
    core.start(
        "fallocate",
        context,
        reply,
        List.of(file),
        () ->
            frame()
                .setFallocate(
                    Fallocate.newBuilder()
                        .setHandle(file.handle())
                        .setMode(mode)
                        .setOffset(offset)
                        .setLength(length)),
        (frame, asked) -> {
          file.inode.changeContent();
          return null;
        });
  }

  /** {@code whence}: SEEK_DATA, SEEK_HOLE; the others the kernel does itself. */
  public void lseek(
      RequestContext context, long handle, long offset, int whence, Reply<Long> reply) {
    OpenFile file = core.file(handle, reply);
    if (file == null) {
      return;
    }
    core.start(
        "lseek",
        context,
        reply,
        List.of(file),
        () ->
            frame()
                .setLseek(
                    Lseek.newBuilder()
                        .setHandle(file.handle())
                        .setOffset(offset)
                        .setWhence(whence)),
        (frame, asked) -> frame.getPosition());
  }

  /** Copies within the server; the reply is the number of bytes copied. */
  public void copyFileRange(
      RequestContext context,
      long handleIn,
      long offsetIn,
      long handleOut,
      long offsetOut,
      long length,
      int flags,
      Reply<Long> reply) {
    OpenFile in = core.file(handleIn, reply);
    if (in == null) {
      return;
    }
    OpenFile out = core.file(handleOut, reply);
    if (out == null) {
      return;
    }
    core.start(
        "copy_file_range",
        context,
        reply,
        List.of(in, out),
        () ->
            frame()
                .setCopyFileRange(
                    CopyFileRange.newBuilder()
                        .setHandleIn(in.handle())
                        .setOffsetIn(offsetIn)
                        .setHandleOut(out.handle())
                        .setOffsetOut(offsetOut)
                        .setLength(length)
                        .setFlags(flags)),
        (frame, asked) -> {
          out.inode.changeContent();
          return frame.getWritten().getCount();
        });
  }

  private static ClientFrame.Builder frame() {
    return ClientFrame.newBuilder();
  }
}
