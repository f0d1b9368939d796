package dev.hostshare.fileserver.rpc;

import static dev.hostshare.fileserver.rpc.Packing.bytes;

import com.google.protobuf.ByteString;
import dev.hostshare.fileserver.export.Caller;
import dev.hostshare.fileserver.export.Directories;
import dev.hostshare.fileserver.export.Export;
import dev.hostshare.fileserver.export.ExportSession;
import dev.hostshare.fileserver.export.Files;
import dev.hostshare.fileserver.export.Locks;
import dev.hostshare.fileserver.export.Names;
import dev.hostshare.fileserver.export.Shares;
import dev.hostshare.fileserver.host.BlockingCall;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Lock;
import dev.hostshare.proto.v1.Mounted;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Setlk;
import dev.hostshare.proto.v1.Walked;
import dev.hostshare.proto.v1.Write;
import dev.hostshare.proto.v1.WritePiece;
import dev.hostshare.proto.v1.Written;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One session's operations: each unpacks its message, calls the export, packs the answer. */
final class Operations {
  private static final Logger log = LoggerFactory.getLogger(Operations.class);

  private final ExportSession session;
  private final Shares shares;
  private final PayloadBuffers buffers;

  /**
   * The operations.
   *
   * @param buffers as large as a read or write may be at the most
   */
  Operations(ExportSession session, Shares shares, PayloadBuffers buffers) {
    this.session = session;
    this.shares = shares;
    this.buffers = buffers;
  }

  /**
   * Runs one operation. A waiting lock is only tried here.
   *
   * @throws ErrnoException what the guest gets
   */
  void run(ClientFrame f, ServerFrame.Builder reply) throws ErrnoException {
    Caller caller = Packing.caller(f);
    switch (f.getOpCase()) {
      case MOUNT -> reply.setMounted(mount(f.getMount().getPath(), caller));
      case WALK -> walk(f, caller, reply);
      case GETATTR -> {
        var op = f.getGetattr();
        reply.setAttr(Packing.attr(session.inodes().get(op.getNode(), op.getHandle(), caller)));
      }
      case SETATTR -> {
        var op = f.getSetattr();
        reply.setAttr(
            Packing.attr(
                session.inodes().set(op.getNode(), op.getHandle(), Packing.change(op), caller)));
      }
      case READLINK -> reply.setTarget(bytes(session.inodes().readlink(f.getReadlink().getNode())));
      case ACCESS -> {
        var op = f.getAccess();
        session.inodes().access(op.getNode(), op.getMask(), caller);
      }
      case STATFS ->
          reply.setStatvfs(Packing.statvfs(session.inodes().statfs(f.getStatfs().getNode())));
      case SYNCFS -> session.inodes().syncfs(f.getSyncfs().getNode());
      case SYMLINK, MKNOD, MKDIR, UNLINK, RMDIR, RENAME, LINK -> {
        names(f, caller, reply);
        parents(f, caller, reply);
      }
      case OPEN, CREATE, TMPFILE -> {
        open(f, caller, reply);
        parents(f, caller, reply);
      }
      case READ, WRITE, FLUSH, FSYNC, RELEASE, FALLOCATE, LSEEK, COPY_FILE_RANGE ->
          onHandle(f, reply);
      case OPENDIR -> {
        var op = f.getOpendir();
        Directories.Opened opened =
            session
                .directories()
                .open(
                    op.getNode(),
                    Math.min(positive(op.getMaxSize()), buffers.size()),
                    Packing.detail(op.getDetail()),
                    caller);
        reply.setOpened(Packing.opened(opened));
      }
      case OPENDIR_AHEAD -> {
        var op = f.getOpendirAhead();
        var told = reply.getOpenedAheadBuilder();
        session
            .directories()
            .openAhead(
                op.getNodesList(),
                Math.min(positive(op.getMaxSize()), buffers.size()),
                buffers.size(),
                Packing.detail(op.getDetail()),
                caller)
            .forEach(
                opened ->
                    told.addDirectories(
                        opened == null ? Opened.getDefaultInstance() : Packing.opened(opened)));
      }
      case READDIR -> {
        var op = f.getReaddir();
        reply.setEntries(
            Packing.entries(
                session
                    .directories()
                    .read(
                        op.getHandle(),
                        op.getCookie(),
                        Math.min(positive(op.getSize()), buffers.size()),
                        Packing.detail(op.getDetail()),
                        caller)));
      }
      case SURVEY -> {
        var op = f.getSurvey();
        Directories.Opened surveyed =
            session.directories().survey(op.getNode(), positive(op.getMaxEntries()), caller);
        reply.setEntries(
            Packing.entries(surveyed.first()).toBuilder()
                .setDirectory(Packing.attr(surveyed.read())));
      }
      case GETXATTR, SETXATTR, LISTXATTR, REMOVEXATTR -> xattr(f, caller, reply);
      case GETLK -> reply.setLock(testLock(f));
      case SETLK -> {
        if (!tryLock(f)) {
          throw ErrnoException.of(Errno.EAGAIN);
        }
      }
      case HELLO, CANCEL, FORGET, OP_NOT_SET ->
          throw new IllegalArgumentException("not a request: " + f.getOpCase());
    }
  }

  /** The attributes of the directories that an operation on names has changed. */
  private void parents(ClientFrame f, Caller caller, ServerFrame.Builder reply) {
    switch (f.getOpCase()) {
      case SYMLINK -> parent(f.getSymlink().getParent(), caller, reply::setParent);
      case MKNOD -> parent(f.getMknod().getParent(), caller, reply::setParent);
      case MKDIR -> parent(f.getMkdir().getParent(), caller, reply::setParent);
      case CREATE -> parent(f.getCreate().getParent(), caller, reply::setParent);
      case LINK -> parent(f.getLink().getNewParent(), caller, reply::setParent);
      case UNLINK -> parent(f.getUnlink().getParent(), caller, reply::setParent);
      case RMDIR -> parent(f.getRmdir().getParent(), caller, reply::setParent);
      case RENAME -> {
        parent(f.getRename().getParent(), caller, reply::setParent);
        parent(f.getRename().getNewParent(), caller, reply::setNewParent);
      }
      default -> {}
    }
  }

  private void parent(long node, Caller caller, Consumer<Attr> to) {
    try {
      to.accept(Packing.attr(session.inodes().get(node, 0, caller)));
    } catch (ErrnoException e) {
      // Gone meanwhile: the operation is done all the same, and whoever asks is told.
      log.debug("a directory whose names were changed: {}", e.getMessage());
    }
  }

  private Mounted mount(String path, Caller caller) throws ErrnoException {
    Export export = shares.find(path);
    return Mounted.newBuilder()
        .setShare(Packing.share(export))
        .setRoot(Packing.entry(session.mount(export, caller)))
        .build();
  }

  private void walk(ClientFrame f, Caller caller, ServerFrame.Builder reply) throws ErrnoException {
    var op = f.getWalk();
    Names.Walked walked =
        session
            .names()
            .walk(
                op.getNode(),
                op.getNamesList().stream().map(ByteString::toByteArray).toList(),
                caller);
    Walked.Builder packed = reply.getWalkedBuilder();
    walked.entries().forEach(e -> packed.addEntries(Packing.entry(e)));
    packed.setMissingWatched(walked.missingWatched());
    reply.setErrno(walked.errno());
  }

  private void names(ClientFrame f, Caller caller, ServerFrame.Builder reply)
      throws ErrnoException {
    Names names = session.names();
    switch (f.getOpCase()) {
      case SYMLINK -> {
        var op = f.getSymlink();
        reply.setEntry(
            Packing.entry(
                names.symlink(op.getParent(), array(op.getName()), array(op.getTarget()), caller)));
      }
      case MKNOD -> {
        var op = f.getMknod();
        reply.setEntry(
            Packing.entry(
                names.mknod(
                    op.getParent(),
                    array(op.getName()),
                    op.getMode(),
                    op.getRdev(),
                    op.getUmask(),
                    caller)));
      }
      case MKDIR -> {
        var op = f.getMkdir();
        reply.setEntry(
            Packing.entry(
                names.mkdir(
                    op.getParent(), array(op.getName()), op.getMode(), op.getUmask(), caller)));
      }
      case UNLINK ->
          names.unlink(f.getUnlink().getParent(), array(f.getUnlink().getName()), caller);
      case RMDIR -> names.rmdir(f.getRmdir().getParent(), array(f.getRmdir().getName()), caller);
      case RENAME -> {
        var op = f.getRename();
        names.rename(
            op.getParent(),
            array(op.getName()),
            op.getNewParent(),
            array(op.getNewName()),
            op.getFlags(),
            caller);
      }
      case LINK -> {
        var op = f.getLink();
        reply.setEntry(
            Packing.entry(
                names.link(op.getNode(), op.getNewParent(), array(op.getNewName()), caller)));
      }
      default -> throw new IllegalArgumentException("no operation on names: " + f.getOpCase());
    }
  }

  private void open(ClientFrame f, Caller caller, ServerFrame.Builder reply) throws ErrnoException {
    Files files = session.files();
    Files.Opened opened =
        switch (f.getOpCase()) {
          case OPEN -> {
            var op = f.getOpen();
            Files.Opened open =
                files.open(op.getNode(), op.getFlags(), op.getKillSuidgid(), caller);
            if (op.getMaxContent() != 0) {
              reply.getOpenedBuilder().setContent(content(open, positive(op.getMaxContent())));
              session.readAhead().opened(op.getNode());
            }
            yield open;
          }
          case CREATE -> {
            var op = f.getCreate();
            yield files.create(
                op.getParent(),
                array(op.getName()),
                op.getMode(),
                op.getUmask(),
                op.getFlags(),
                op.getKillSuidgid(),
                caller);
          }
          case TMPFILE -> {
            var op = f.getTmpfile();
            yield files.tmpfile(op.getParent(), op.getMode(), op.getUmask(), op.getFlags(), caller);
          }
          default -> throw new IllegalArgumentException("no open: " + f.getOpCase());
        };
    reply.getOpenedBuilder().mergeFrom(Packing.opened(opened));
  }

  private void onHandle(ClientFrame f, ServerFrame.Builder reply) throws ErrnoException {
    Files files = session.files();
    switch (f.getOpCase()) {
      case READ -> {
        var op = f.getRead();
        reply.setData(read(op.getHandle(), offset(op.getOffset()), positive(op.getSize())));
      }
      case WRITE -> {
        reply.setWritten(write(f.getWrite()));
      }
      case FLUSH -> files.flush(f.getFlush().getHandle(), f.getFlush().getLockOwner());
      case FSYNC -> files.fsync(f.getFsync().getHandle(), f.getFsync().getDatasync());
      case RELEASE -> files.release(f.getRelease().getHandle());
      case FALLOCATE -> {
        var op = f.getFallocate();
        files.fallocate(
            op.getHandle(), op.getMode(), offset(op.getOffset()), offset(op.getLength()));
      }
      case LSEEK -> {
        var op = f.getLseek();
        reply.setPosition(files.seek(op.getHandle(), op.getOffset(), op.getWhence()));
      }
      case COPY_FILE_RANGE -> {
        var op = f.getCopyFileRange();
        long copied =
            files.copyRange(
                op.getHandleIn(),
                offset(op.getOffsetIn()),
                op.getHandleOut(),
                offset(op.getOffsetOut()),
                offset(op.getLength()),
                op.getFlags());
        reply.getWrittenBuilder().setCount(copied).setOffset(op.getOffsetOut());
      }
      default -> throw new IllegalArgumentException("no operation on a handle: " + f.getOpCase());
    }
  }

  /** All of a small file, or nothing if it is larger, or changes just now. */
  private ByteString content(Files.Opened opened, int max) {
    long size = opened.attributes().stat().size();
    if (size == 0 || size > max) {
      return ByteString.EMPTY;
    }
    try {
      ByteString all = read(opened.handle(), 0, (int) size);
      return all.size() == size ? all : ByteString.EMPTY;
    } catch (ErrnoException e) {
      // Whoever reads it is told.
      log.debug("a file that was opened cannot be read: {}", e.getMessage());
      return ByteString.EMPTY;
    }
  }

  /** Closes what the guest has closed, and nobody waits for. */
  void release(List<Long> handles) {
    for (long handle : handles) {
      try {
        session.files().release(handle);
      } catch (ErrnoException e) {
        log.debug("a handle that was closed: {}", e.getMessage());
      }
    }
  }

  private ByteString read(long handle, long offset, int size) throws ErrnoException {
    try (PayloadBuffers.Buffer buffer = buffers.take()) {
      MemorySegment from = buffer.memory.asSlice(0, Math.min(size, buffers.size()));
      int n = session.files().read(handle, offset, from);
      byte[] data = new byte[n];
      MemorySegment.copy(from, ValueLayout.JAVA_BYTE, 0, data, 0, n);
      return bytes(data);
    }
  }

  private Written write(Write op) throws ErrnoException {
    Files.Written first = write(op.getHandle(), op.getOffset(), op.getData(), op.getKillSuidgid());
    long count = first.count();
    long asked = op.getData().size();
    for (WritePiece piece : op.getMoreList()) {
      if (count < asked) {
        break;
      }
      try {
        count += write(op.getHandle(), piece.getOffset(), piece.getData(), false).count();
      } catch (ErrnoException e) {
        // Told when the client asks for the rest.
        log.debug("a piece of a write failed: {}", e.getMessage());
        break;
      }
      asked += piece.getData().size();
    }
    return Written.newBuilder().setCount(count).setOffset(first.offset()).build();
  }

  private Files.Written write(long handle, long offset, ByteString data, boolean killSuidgid)
      throws ErrnoException {
    if (data.size() > buffers.size()) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    try (PayloadBuffers.Buffer buffer = buffers.take()) {
      MemorySegment to = buffer.memory.asSlice(0, data.size());
      data.copyTo(to.asByteBuffer());
      return session.files().write(handle, offset(offset), to, killSuidgid);
    }
  }

  private void xattr(ClientFrame f, Caller caller, ServerFrame.Builder reply)
      throws ErrnoException {
    switch (f.getOpCase()) {
      case GETXATTR -> {
        var op = f.getGetxattr();
        reply.setXattr(bytes(session.xattrs().get(op.getNode(), array(op.getName()), caller)));
      }
      case SETXATTR -> {
        var op = f.getSetxattr();
        session
            .xattrs()
            .set(
                op.getNode(),
                array(op.getName()),
                array(op.getValue()),
                op.getFlags(),
                op.getKillSgid(),
                caller);
      }
      case LISTXATTR -> reply.setXattr(bytes(session.xattrs().list(f.getListxattr().getNode())));
      case REMOVEXATTR -> {
        var op = f.getRemovexattr();
        session.xattrs().remove(op.getNode(), array(op.getName()), caller);
      }
      default -> throw new IllegalArgumentException("no xattr operation: " + f.getOpCase());
    }
  }

  private Lock testLock(ClientFrame f) throws ErrnoException {
    var op = f.getGetlk();
    HostFs.HeldLock held = session.locks().test(op.getHandle(), op.getOwner(), range(op.getLock()));
    if (held == null) {
      return Lock.newBuilder().setType(Linux.F_UNLCK).build();
    }
    return Lock.newBuilder()
        .setType(held.type())
        .setStart(held.start())
        .setEnd(held.end())
        .setPid(held.pid())
        .build();
  }

  /** Takes or gives back the lock without waiting. False on conflict. */
  boolean tryLock(ClientFrame f) throws ErrnoException {
    Setlk op = f.getSetlk();
    if (op.getFlock()) {
      return session.locks().tryFlock(op.getHandle(), op.getLock().getType());
    }
    return session
        .locks()
        .trySet(op.getHandle(), op.getOwner(), op.getLock().getPid(), range(op.getLock()));
  }

  /** Takes the lock, waiting. EINTR when {@code turn} is cancelled. */
  void waitForLock(ClientFrame f, BlockingCall turn) throws ErrnoException {
    Setlk op = f.getSetlk();
    if (op.getFlock()) {
      session.locks().flockWaiting(op.getHandle(), op.getLock().getType(), turn);
    } else {
      session
          .locks()
          .setWaiting(
              op.getHandle(), op.getOwner(), op.getLock().getPid(), range(op.getLock()), turn);
    }
  }

  private static Locks.Range range(Lock lock) {
    return new Locks.Range(lock.getType(), lock.getStart(), lock.getEnd());
  }

  private static byte[] array(ByteString bytes) {
    return bytes.toByteArray();
  }

  /** A wire uint64 that the host takes as a signed off_t. */
  private static long offset(long value) throws ErrnoException {
    if (value < 0) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    return value;
  }

  private static int positive(int value) throws ErrnoException {
    if (value < 0) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    return value;
  }
}
