package dev.hostshare.agent.jnr;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.AttributeChange;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.NodeAttr;
import dev.hostshare.agent.fs.OpenedFile;
import dev.hostshare.agent.fs.Reply;
import dev.hostshare.agent.fs.RequestContext.Identity;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Lock;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import jnr.ffi.Pointer;
import jnr.ffi.Struct;
import ru.serce.jnrfuse.FuseFillDir;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.Flock;
import ru.serce.jnrfuse.struct.FuseFileInfo;

/**
 * libfuse's callbacks, those on open files and directories here: unpack, call the core, wait, pack.
 * These have no path, which the file may have lost meanwhile.
 */
final class JnrFileSystem extends PathCallbacks {
  /** fcntl(2) of 64-bit Linux. */
  private static final int F_GETLK = 5;

  private static final int F_SETLKW = 7;

  /** flock(2). */
  private static final int LOCK_SH = 1;

  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;

  /** The inode of each open handle, with a lookup count. */
  private final Map<Long, Long> inodes = new ConcurrentHashMap<>();

  private final LibFuse2 native2 = new LibFuse2();
  private final CompletableFuture<Void> initialized = new CompletableFuture<>();

  JnrFileSystem(FileSystem fs) {
    super(fs);
    LibFuse2.setFlags(Struct.getMemory(fuseOperations));
  }

  /** Mounts and serves; returns when unmounted, 0 if it was mounted at all. */
  int run(String[] arguments) {
    return libFuse.fuse_main_real(
        arguments.length, arguments, fuseOperations, Struct.size(fuseOperations), null);
  }

  /** Done when the kernel has greeted us: the mount can be used. */
  CompletableFuture<Void> initialized() {
    return initialized;
  }

  @Override
  public Pointer init(Pointer connection) {
    try {
      LibFuse2.negotiate(connection);
      initialized.complete(null);
    } catch (Throwable t) {
      initialized.completeExceptionally(t);
    }
    return null;
  }

  @Override
  public int fgetattr(String path, FileStat stat, FuseFileInfo info) {
    return answer(
        "fgetattr",
        caller -> {
          long handle = handle(info);
          NodeAttr attr =
              await(
                  caller,
                  (context, reply) ->
                      fs.attributes().getattr(context, inode(handle), handle, reply));
          StatPacking.pack(attr.attr(), stat);
          return 0;
        });
  }

  @Override
  public int ftruncate(String path, long size, FuseFileInfo info) {
    return answer(
        "ftruncate",
        caller -> {
          long handle = handle(info);
          CallbackBoundary.<NodeAttr>await(
              caller,
              (context, reply) ->
                  fs.attributes()
                      .setattr(
                          context,
                          inode(handle),
                          new AttributeChange(handle, null, null, null, size, null, null, false),
                          reply));
          return 0;
        });
  }

  @Override
  public int open(String path, FuseFileInfo info) {
    return answer(
        "open",
        caller -> {
          Pointer file = Struct.getMemory(info);
          try (PathWalk walk = PathWalk.to(fs, caller, path)) {
            OpenedFile opened =
                await(
                    caller,
                    (context, reply) ->
                        fs.files()
                            .open(
                                context,
                                walk.id(),
                                LibFuse2.flags(file),
                                truncates(file) && killsSuidgid(caller),
                                reply));
            if (opened.keepCache()) {
              LibFuse2.setKeepCache(file);
            }
            inodes.put(opened.handle(), walk.keepLast());
            LibFuse2.setHandle(file, opened.handle());
          }
          return 0;
        });
  }

  @Override
  public int create(String path, long mode, FuseFileInfo info) {
    int umask = umask();
    return answer(
        "create",
        caller -> {
          Pointer file = Struct.getMemory(info);
          OpenedFile opened =
              in(
                  caller,
                  path,
                  (context, id, reply) ->
                      fs.files()
                          .create(
                              context,
                              id,
                              PathWalk.name(path),
                              (int) mode,
                              umask,
                              LibFuse2.flags(file),
                              false,
                              reply));
          inodes.put(opened.handle(), opened.entry().id());
          LibFuse2.setHandle(file, opened.handle());
          return 0;
        });
  }

  @Override
  public int read(String path, Pointer buffer, long size, long offset, FuseFileInfo info) {
    return answer(
        "read",
        caller -> {
          long handle = handle(info);
          ByteString data =
              await(
                  caller,
                  (context, reply) ->
                      fs.files().read(context, handle, offset, (int) size, copying(reply)));
          buffer.put(0, data.toByteArray(), 0, data.size());
          return data.size();
        });
  }

  /** Data that is valid until the reply has taken it is used by another thread after that. */
  private static Reply<ByteString> copying(Reply<ByteString> reply) {
    return new Reply<>() {
      @Override
      protected void sendSuccess(ByteString data) {
        reply.success(ByteString.copyFrom(data.asReadOnlyByteBuffer()));
      }

      @Override
      protected void sendError(int errno) {
        reply.error(errno);
      }
    };
  }

  @Override
  public int write(String path, Pointer buffer, long size, long offset, FuseFileInfo info) {
    return answer(
        "write",
        caller -> {
          long handle = handle(info);
          var data = new byte[(int) size];
          buffer.get(0, data, 0, data.length);
          return CallbackBoundary.<Long>await(
                  caller,
                  (context, reply) ->
                      fs.files()
                          .write(context, handle, offset, ByteString.copyFrom(data), false, reply))
              .intValue();
        });
  }

  @Override
  public int flush(String path, FuseFileInfo info) {
    return onHandle(
        "flush",
        info,
        (context, handle, reply) ->
            fs.files().flush(context, handle, LibFuse2.lockOwner(Struct.getMemory(info)), reply));
  }

  @Override
  public int fsync(String path, int datasync, FuseFileInfo info) {
    return onHandle(
        "fsync",
        info,
        (context, handle, reply) -> fs.files().fsync(context, handle, datasync != 0, reply));
  }

  @Override
  public int fallocate(String path, int mode, long offset, long length, FuseFileInfo info) {
    return onHandle(
        "fallocate",
        info,
        (context, handle, reply) ->
            fs.files().fallocate(context, handle, mode, offset, length, reply));
  }

  @Override
  public int release(String path, FuseFileInfo info) {
    Pointer file = Struct.getMemory(info);
    return released(
        info,
        onHandle(
            "release",
            info,
            (context, handle, reply) ->
                fs.files()
                    .release(
                        context,
                        handle,
                        LibFuse2.releasesFlock(file),
                        LibFuse2.lockOwner(file),
                        reply)));
  }

  @Override
  public int opendir(String path, FuseFileInfo info) {
    return answer(
        "opendir",
        caller -> {
          try (PathWalk walk = PathWalk.to(fs, caller, path)) {
            OpenedFile opened =
                await(
                    caller,
                    (context, reply) -> fs.directories().opendir(context, walk.id(), false, reply));
            inodes.put(opened.handle(), walk.keepLast());
            LibFuse2.setHandle(Struct.getMemory(info), opened.handle());
          }
          return 0;
        });
  }

  @Override
  public int readdir(
      String path, Pointer buffer, FuseFillDir filler, long offset, FuseFileInfo info) {
    return answer(
        "readdir",
        caller -> {
          long from = offset;
          FillSink sink;
          do {
            var next = new FillSink(filler, buffer, from);
            long start = from;
            sink =
                await(
                    caller,
                    (context, reply) ->
                        fs.directories()
                            .readdir(context, handle(info), start, false, () -> next, reply));
            from = sink.next();
          } while (!sink.isFull() && !sink.isEmpty());
          return 0;
        });
  }

  @Override
  public int releasedir(String path, FuseFileInfo info) {
    return released(
        info,
        onHandle(
            "releasedir",
            info,
            (context, handle, reply) -> fs.directories().releasedir(context, handle, reply)));
  }

  /**
   * jnr-fuse leaves an argument of libfuse's callback out: what it passes as {@code info} is the
   * flag datasync taken for an address. So it must not be touched, and there is no path either.
   * Everything is synced instead.
   */
  @Override
  public int fsyncdir(String path, FuseFileInfo info) {
    return answer(
        "fsyncdir",
        caller -> {
          CallbackBoundary.<Void>await(
              caller, (context, reply) -> fs.attributes().syncfs(context, PathWalk.ROOT_ID, reply));
          return 0;
        });
  }

  private static boolean truncates(Pointer file) {
    return (LibFuse2.flags(file) & Linux.O_TRUNC) != 0;
  }

  private int onHandle(String operation, FuseFileInfo info, AtPath<Void> body) {
    return answer(
        operation,
        caller -> {
          CallbackBoundary.<Void>await(
              caller, (context, reply) -> body.start(context, handle(info), reply));
          return 0;
        });
  }

  private int released(FuseFileInfo info, int result) {
    Long id = inodes.remove(handle(info));
    if (id != null) {
      PathWalk.forget(fs, id);
    }
    return result;
  }

  @Override
  public int lock(String path, FuseFileInfo info, int command, Flock flock) {
    return answer(
        "lock",
        caller -> {
          long start = flock.l_start.get();
          long length = flock.l_len.get();
          Lock lock =
              Lock.newBuilder()
                  .setType(flock.l_type.get())
                  .setStart(start)
                  .setEnd(length == 0 ? Long.MAX_VALUE : start + length - 1)
                  .setPid((int) flock.l_pid.get())
                  .build();
          if (command == F_GETLK) {
            Lock found =
                await(
                    caller,
                    (context, reply) ->
                        fs.locks().getlk(context, handle(info), lockOwner(info), lock, reply));
            flock.l_type.set((short) found.getType());
            flock.l_start.set(found.getStart());
            flock.l_len.set(
                found.getEnd() == Long.MAX_VALUE ? 0 : found.getEnd() - found.getStart() + 1);
            flock.l_pid.set(found.getPid());
            return 0;
          }
          return setlk(caller, info, lock, command == F_SETLKW, false);
        });
  }

  @Override
  public int flock(String path, FuseFileInfo info, int operation) {
    return answer(
        "flock",
        caller -> {
          int type =
              (operation & LOCK_SH) != 0
                  ? Linux.F_RDLCK
                  : (operation & LOCK_EX) != 0 ? Linux.F_WRLCK : Linux.F_UNLCK;
          Lock lock = Lock.newBuilder().setType(type).setStart(0).setEnd(Long.MAX_VALUE).build();
          return setlk(caller, info, lock, (operation & LOCK_NB) == 0, true);
        });
  }

  private int setlk(Identity caller, FuseFileInfo info, Lock lock, boolean wait, boolean flock)
      throws ErrnoException, InterruptedException {
    var reply = new BlockingReply<Void>(caller);
    fs.locks().setlk(reply, handle(info), lockOwner(info), lock, wait, flock, reply);
    reply.await(native2::interrupted);
    return 0;
  }

  private static long handle(FuseFileInfo info) {
    return LibFuse2.handle(Struct.getMemory(info));
  }

  private static long lockOwner(FuseFileInfo info) {
    return LibFuse2.lockOwner(Struct.getMemory(info));
  }

  private long inode(long handle) {
    return inodes.getOrDefault(handle, 0L);
  }
}
