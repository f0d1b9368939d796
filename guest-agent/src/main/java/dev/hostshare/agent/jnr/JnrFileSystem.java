package dev.hostshare.agent.jnr;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.AttributeChange;
import dev.hostshare.agent.fs.AttributeChange.Timestamp;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.NodeAttr;
import dev.hostshare.agent.fs.NodeEntry;
import dev.hostshare.agent.fs.OpenedFile;
import dev.hostshare.agent.fs.Reply;
import dev.hostshare.agent.fs.RequestContext;
import dev.hostshare.agent.fs.RequestContext.Identity;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.Lock;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import jnr.ffi.Pointer;
import jnr.ffi.Struct;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import ru.serce.jnrfuse.FuseFillDir;
import ru.serce.jnrfuse.FuseStubFS;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.Flock;
import ru.serce.jnrfuse.struct.FuseContext;
import ru.serce.jnrfuse.struct.FuseFileInfo;
import ru.serce.jnrfuse.struct.Statvfs;
import ru.serce.jnrfuse.struct.Timespec;

/**
 * libfuse's callbacks: unpack, call the core, wait, pack. Called on libfuse's threads, several at
 * once.
 *
 * <p>jnr-ffi takes an exception in a callback for the result 0, success: so every callback catches
 * everything.
 */
final class JnrFileSystem extends FuseStubFS {
  private static final Logger log = LoggerFactory.getLogger(JnrFileSystem.class);

  /** utimensat(2). */
  private static final long UTIME_NOW = (1L << 30) - 1;

  private static final long UTIME_OMIT = (1L << 30) - 2;

  /** fcntl(2) of 64-bit Linux. */
  private static final int F_GETLK = 5;

  private static final int F_SETLKW = 7;

  /** flock(2). */
  private static final int LOCK_SH = 1;

  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;

  private final FileSystem fs;
  private final LibFuse2 native2 = new LibFuse2();

  /** The inode of each open handle, with a lookup count. */
  private final Map<Long, Long> inodes = new ConcurrentHashMap<>();

  private final AtomicInteger pending = new AtomicInteger();
  private final CompletableFuture<Void> initialized = new CompletableFuture<>();

  JnrFileSystem(FileSystem fs) {
    this.fs = fs;
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

  int pendingRequests() {
    return pending.get();
  }

  private interface Body {
    int run(Identity caller) throws ErrnoException, InterruptedException;
  }

  /** The boundary: whatever happens, libfuse gets a result or a negative errno. */
  private int answer(String operation, Body body) {
    pending.incrementAndGet();
    try {
      FuseContext context = getContext();
      return body.run(
          new Identity((int) context.uid.get(), (int) context.gid.get(), (int) context.pid.get()));
    } catch (ErrnoException e) {
      return -e.errno();
    } catch (InterruptedException e) {
      return -Errno.EINTR;
    } catch (Throwable t) {
      log.error("{} failed", operation, t);
      return -Errno.EIO;
    } finally {
      pending.decrementAndGet();
    }
  }

  private interface Operation<T> {
    void start(RequestContext context, Reply<T> reply);
  }

  private static <T> T await(Identity caller, Operation<T> operation)
      throws ErrnoException, InterruptedException {
    var reply = new BlockingReply<T>(caller);
    operation.start(reply, reply);
    return reply.await();
  }

  private interface AtPath<T> {
    void start(RequestContext context, long id, Reply<T> reply);
  }

  /** Does {@code operation} on the inode at {@code path}. */
  private <T> T at(Identity caller, String path, AtPath<T> operation)
      throws ErrnoException, InterruptedException {
    try (PathWalk walk = PathWalk.to(fs, caller, path)) {
      return await(caller, (context, reply) -> operation.start(context, walk.id(), reply));
    }
  }

  /** Does {@code operation} in the directory of {@code path}. */
  private <T> T in(Identity caller, String path, AtPath<T> operation)
      throws ErrnoException, InterruptedException {
    try (PathWalk walk = PathWalk.toParent(fs, caller, path)) {
      return await(caller, (context, reply) -> operation.start(context, walk.id(), reply));
    }
  }

  /** Makes something at {@code path}, which the kernel looks up afterwards. */
  private int make(Identity caller, String path, AtPath<NodeEntry> operation)
      throws ErrnoException, InterruptedException {
    PathWalk.forget(fs, in(caller, path, operation).id());
    return 0;
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
  public int getattr(String path, FileStat stat) {
    return answer(
        "getattr",
        caller -> {
          try (PathWalk walk = PathWalk.to(fs, caller, path)) {
            Attr attr =
                walk.last() != null
                    ? walk.last().attr()
                    : JnrFileSystem.<NodeAttr>await(
                            caller,
                            (context, reply) ->
                                fs.attributes().getattr(context, walk.id(), 0, reply))
                        .attr();
            StatPacking.pack(attr, stat);
          }
          return 0;
        });
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
  public int readlink(String path, Pointer buffer, long size) {
    return answer(
        "readlink",
        caller -> {
          ByteString target =
              at(caller, path, (context, id, reply) -> fs.names().readlink(context, id, reply));
          int length = (int) Math.min(target.size(), size - 1);
          buffer.put(0, target.toByteArray(), 0, length);
          buffer.putByte(length, (byte) 0);
          return 0;
        });
  }

  @Override
  public int mknod(String path, long mode, long rdev) {
    int umask = umask();
    return answer(
        "mknod",
        caller ->
            make(
                caller,
                path,
                (context, id, reply) ->
                    fs.names()
                        .mknod(context, id, PathWalk.name(path), (int) mode, rdev, umask, reply)));
  }

  @Override
  public int mkdir(String path, long mode) {
    int umask = umask();
    return answer(
        "mkdir",
        caller ->
            make(
                caller,
                path,
                (context, id, reply) ->
                    fs.names().mkdir(context, id, PathWalk.name(path), (int) mode, umask, reply)));
  }

  @Override
  public int symlink(String target, String path) {
    return answer(
        "symlink",
        caller ->
            make(
                caller,
                path,
                (context, id, reply) ->
                    fs.names()
                        .symlink(
                            context,
                            id,
                            PathWalk.name(path),
                            ByteString.copyFromUtf8(target),
                            reply)));
  }

  @Override
  public int unlink(String path) {
    return answer(
        "unlink",
        caller -> {
          this.<Void>in(
              caller,
              path,
              (context, id, reply) -> fs.names().unlink(context, id, PathWalk.name(path), reply));
          return 0;
        });
  }

  @Override
  public int rmdir(String path) {
    return answer(
        "rmdir",
        caller -> {
          this.<Void>in(
              caller,
              path,
              (context, id, reply) -> fs.names().rmdir(context, id, PathWalk.name(path), reply));
          return 0;
        });
  }

  @Override
  public int rename(String path, String newPath) {
    return answer(
        "rename",
        caller -> {
          try (PathWalk target = PathWalk.toParent(fs, caller, newPath)) {
            this.<Void>in(
                caller,
                path,
                (context, id, reply) ->
                    fs.names()
                        .rename(
                            context,
                            id,
                            PathWalk.name(path),
                            target.id(),
                            PathWalk.name(newPath),
                            0,
                            reply));
          }
          return 0;
        });
  }

  @Override
  public int link(String path, String newPath) {
    return answer(
        "link",
        caller -> {
          try (PathWalk source = PathWalk.to(fs, caller, path)) {
            return make(
                caller,
                newPath,
                (context, id, reply) ->
                    fs.names().link(context, source.id(), id, PathWalk.name(newPath), reply));
          }
        });
  }

  @Override
  public int chmod(String path, long mode) {
    return setattr(
        "chmod",
        path,
        new AttributeChange(
            0, (int) mode & Linux.PERMISSIONS, null, null, null, null, null, false));
  }

  @Override
  public int chown(String path, long uid, long gid) {
    return setattr(
        "chown",
        path,
        new AttributeChange(
            0,
            null,
            (int) uid == -1 ? null : (int) uid,
            (int) gid == -1 ? null : (int) gid,
            null,
            null,
            null,
            true));
  }

  @Override
  public int truncate(String path, long size) {
    return setattr(
        "truncate", path, new AttributeChange(0, null, null, null, size, null, null, false));
  }

  @Override
  public int ftruncate(String path, long size, FuseFileInfo info) {
    return answer(
        "ftruncate",
        caller -> {
          long handle = handle(info);
          JnrFileSystem.<NodeAttr>await(
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
  public int utimens(String path, Timespec[] times) {
    return setattr(
        "utimens",
        path,
        new AttributeChange(
            0, null, null, null, null, timestamp(times[0]), timestamp(times[1]), false));
  }

  private static Timestamp timestamp(Timespec time) {
    long nanos = time.tv_nsec.longValue();
    if (nanos == UTIME_OMIT) {
      return null;
    }
    return nanos == UTIME_NOW
        ? Timestamp.NOW
        : new Timestamp(false, time.tv_sec.get(), (int) nanos);
  }

  private int setattr(String operation, String path, AttributeChange change) {
    return answer(
        operation,
        caller -> {
          this.<NodeAttr>at(
              caller,
              path,
              (context, id, reply) -> fs.attributes().setattr(context, id, change, reply));
          return 0;
        });
  }

  @Override
  public int access(String path, int mask) {
    return answer(
        "access",
        caller -> {
          this.<Void>at(
              caller,
              path,
              (context, id, reply) -> fs.attributes().access(context, id, mask, reply));
          return 0;
        });
  }

  @Override
  public int statfs(String path, Statvfs statvfs) {
    return answer(
        "statfs",
        caller -> {
          StatPacking.pack(
              at(caller, path, (context, id, reply) -> fs.attributes().statfs(context, id, reply)),
              statvfs);
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
                        fs.files().open(context, walk.id(), LibFuse2.flags(file), false, reply));
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
                  (context, reply) -> fs.files().read(context, handle, offset, (int) size, reply));
          buffer.put(0, data.toByteArray(), 0, data.size());
          return data.size();
        });
  }

  @Override
  public int write(String path, Pointer buffer, long size, long offset, FuseFileInfo info) {
    return answer(
        "write",
        caller -> {
          long handle = handle(info);
          var data = new byte[(int) size];
          buffer.get(0, data, 0, data.length);
          return JnrFileSystem.<Long>await(
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
                    (context, reply) -> fs.directories().opendir(context, walk.id(), reply));
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

  @Override
  public int fsyncdir(String path, FuseFileInfo info) {
    // jnr-fuse does not pass datasync on.
    return onHandle(
        "fsyncdir",
        info,
        (context, handle, reply) -> fs.directories().fsyncdir(context, handle, false, reply));
  }

  private int onHandle(String operation, FuseFileInfo info, AtPath<Void> body) {
    return answer(
        operation,
        caller -> {
          JnrFileSystem.<Void>await(
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
  public int getxattr(String path, String name, Pointer buffer, long size) {
    return answer(
        "getxattr",
        caller ->
            sized(
                at(
                    caller,
                    path,
                    (context, id, reply) ->
                        fs.xattrs().getxattr(context, id, ByteString.copyFromUtf8(name), reply)),
                buffer,
                size));
  }

  @Override
  public int listxattr(String path, Pointer buffer, long size) {
    return answer(
        "listxattr",
        caller ->
            sized(
                at(caller, path, (context, id, reply) -> fs.xattrs().listxattr(context, id, reply)),
                buffer,
                size));
  }

  /** Tells the size if there is no room at all, else the value or ERANGE. */
  private static int sized(ByteString value, Pointer buffer, long size) throws ErrnoException {
    if (size != 0) {
      if (value.size() > size) {
        throw new ErrnoException(Errno.ERANGE);
      }
      buffer.put(0, value.toByteArray(), 0, value.size());
    }
    return value.size();
  }

  @Override
  public int setxattr(String path, String name, Pointer buffer, long size, int flags) {
    return answer(
        "setxattr",
        caller -> {
          var value = new byte[(int) size];
          buffer.get(0, value, 0, value.length);
          this.<Void>at(
              caller,
              path,
              (context, id, reply) ->
                  fs.xattrs()
                      .setxattr(
                          context,
                          id,
                          ByteString.copyFromUtf8(name),
                          ByteString.copyFrom(value),
                          flags,
                          false,
                          reply));
          return 0;
        });
  }

  @Override
  public int removexattr(String path, String name) {
    return answer(
        "removexattr",
        caller -> {
          this.<Void>at(
              caller,
              path,
              (context, id, reply) ->
                  fs.xattrs().removexattr(context, id, ByteString.copyFromUtf8(name), reply));
          return 0;
        });
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

  private int umask() {
    return (int) getContext().umask.get();
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
