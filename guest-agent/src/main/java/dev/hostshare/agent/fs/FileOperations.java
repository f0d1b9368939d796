package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
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
import dev.hostshare.proto.v1.WritePiece;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Open files and their content. Offsets and lengths are in bytes. */
public final class FileOperations {
  /** 16 KiB: copied in some 5 µs, where a round trip costs 70; most source files are smaller. */
  private static final int MAX_CONTENT = 16 << 10;

  private static final Logger log = LoggerFactory.getLogger(FileOperations.class);

  private final Core core;

  FileOperations(Core core) {
    this.core = core;
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
    Attr told = inode.told;
    return told != null
        && inode.kept
        && told.getSize() > 0
        && told.getSize() <= MAX_CONTENT
        && !inode.hasPages
        && inode.opens.get() == 0
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
    if (inode.opens.get() == 0
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
    if (parent == null || !core.nameFits(name, reply)) {
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
    if (parent == null) {
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
    inode.opens.incrementAndGet();
    return core.handles.add(
        new OpenFile(inode, flags, new OpenFile.Binding(asked.generation(), opened.getHandle())));
  }

  /** Reads; what comes back is shorter than {@code size} only at the end of the file. */
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
      core.startOnce("append", context, reply, List.of(file), request, completion);
    } else if (killSuidgid || !writeBehind(file, offset, data, reply)) {
      core.start("write", context, reply, List.of(file), request, completion);
    }
  }

  /** Answers a write and sends it; false if that is not to be done, and nothing was. */
  private boolean writeBehind(OpenFile file, long offset, ByteString data, Reply<Long> reply) {
    if (!file.writesBehind() || data.isEmpty()) {
      return false;
    }
    int errno = file.takeError();
    if (errno != 0) {
      reply.error(errno);
      return true;
    }
    PendingWrites pending = file.inode.takesWrites();
    var write = new PendingWrites.Write(file, offset, data);
    if (!pending.begin(write)) {
      return false;
    }
    file.inode.changeContent();
    if (write.isSmall()) {
      // What follows, an fsync say, would be in its way.
      send(pending);
      reply.success((long) data.size());
    } else {
      // Copying it takes as long as the program needs for the next.
      reply.success((long) data.size());
      send(pending);
    }
    return true;
  }

  private void send(PendingWrites pending) {
    for (var batch = pending.next(); !batch.isEmpty(); batch = pending.next()) {
      send(pending, batch, batch);
    }
  }

  /**
   * Sends writes.
   *
   * @param batch those that are done when these are
   */
  private void send(
      PendingWrites pending, List<PendingWrites.Write> batch, List<PendingWrites.Write> writes) {
    OpenFile file = writes.getFirst().file;
    core.startWrite(
        file,
        new Reply<>() {
          @Override
          protected void sendSuccess(Long count) {
            List<PendingWrites.Write> rest = after(writes, count);
            if (rest.isEmpty()) {
              done();
            } else if (count == 0) {
              sendError(Errno.EIO);
            } else {
              send(pending, batch, rest); // to hear why
            }
          }

          @Override
          protected void sendError(int errno) {
            log.warn(
                "{}: a write at {} failed after it was answered: {}",
                core.share,
                writes.getFirst().offset,
                Errno.name(errno));
            pending.failed(errno);
            // What the kernel has of it is not so.
            file.inode.untell();
            core.notifier.later(() -> core.notifier.cache().invalidateData(file.inode.id));
            done();
          }

          private void done() {
            pending.done(batch);
            send(pending);
          }
        },
        () -> frame().setWrite(pack(writes)),
        (frame, asked) -> {
          file.inode.changeContent();
          return frame.getWritten().getCount();
        });
  }

  /** Makes one request of writes to one file; what follows on one another becomes one piece. */
  private static Write.Builder pack(List<PendingWrites.Write> writes) {
    var pieces = new ArrayList<PendingWrites.Write>();
    for (var write : writes) {
      if (!pieces.isEmpty() && pieces.getLast().end() == write.offset) {
        var before = pieces.removeLast();
        write = new PendingWrites.Write(write.file, before.offset, before.data.concat(write.data));
      }
      pieces.add(write);
    }
    var first = pieces.removeFirst();
    var packed =
        Write.newBuilder()
            .setHandle(first.file.handle())
            .setOffset(first.offset)
            .setData(first.data);
    for (var piece : pieces) {
      packed.addMore(WritePiece.newBuilder().setOffset(piece.offset).setData(piece.data));
    }
    return packed;
  }

  /** What is left of writes of which the first {@code count} bytes were written. */
  private static List<PendingWrites.Write> after(List<PendingWrites.Write> writes, long count) {
    var rest = new ArrayList<PendingWrites.Write>();
    long done = count;
    for (var write : writes) {
      int size = write.data.size();
      if (done < size) {
        rest.add(
            new PendingWrites.Write(
                write.file, write.offset + done, write.data.substring(Math.toIntExact(done))));
      }
      done = Math.max(0, done - size);
    }
    return rest;
  }

  /** Throws the error of a write that had been answered before. */
  private static Void tellError(OpenFile file) throws ErrnoException {
    int errno = file.takeError();
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
    if (!file.inode.locks.dropPosix(lockOwner)) {
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
    core.start(
        "flush",
        context,
        reply,
        List.of(file),
        () -> frame().setFlush(Flush.newBuilder().setHandle(file.handle()).setLockOwner(lockOwner)),
        (frame, asked) -> tellError(file));
  }

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
        (frame, asked) -> tellError(file));
  }

  /** The last close. The handle is gone in any case; nobody hears of an error. */
  public void release(
      RequestContext context, long handle, boolean unlockFlock, long lockOwner, Reply<Void> reply) {
    OpenFile file = core.handles.removeFile(handle);
    if (file == null) {
      reply.error(Errno.EBADF);
      return;
    }
    file.inode.opens.decrementAndGet();
    boolean locked = unlockFlock || !file.inode.locks.through(file).isEmpty();
    file.inode.locks.dropFlock(file);
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
