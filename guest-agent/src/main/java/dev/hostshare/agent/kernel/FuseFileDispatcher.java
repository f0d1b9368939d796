package dev.hostshare.agent.kernel;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.Reply;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.Lock;

/**
 * Unpacks requests about open files and directories, extended attributes and locks. Thread-safe.
 */
final class FuseFileDispatcher {
  private final FileSystem fs;
  private final FuseInit init;

  FuseFileDispatcher(FileSystem fs, FuseInit init) {
    this.fs = fs;
    this.init = init;
  }

  /** As {@link FuseDispatcher#dispatch}; ENOSYS for what nobody knows. */
  void dispatch(FuseRequest request, RequestBody in) throws ErrnoException {
    switch (request.opcode) {
      case FuseAbi.OPEN -> open(request, in);
      case FuseAbi.CREATE -> create(request, in);
      case FuseAbi.TMPFILE -> tmpfile(request, in);
      case FuseAbi.READ ->
          fs.files()
              .read(
                  request,
                  in.u64(FuseAbi.ReadIn.FH),
                  in.u64(FuseAbi.ReadIn.OFFSET),
                  in.u32(FuseAbi.ReadIn.SIZE),
                  request.reply(FuseEncoder.BYTES));
      case FuseAbi.WRITE -> write(request, in);
      case FuseAbi.FLUSH ->
          fs.files()
              .flush(
                  request,
                  in.u64(FuseAbi.FlushIn.FH),
                  in.u64(FuseAbi.FlushIn.LOCK_OWNER),
                  request.reply(FuseEncoder.NOTHING));
      case FuseAbi.FSYNC ->
          fs.files()
              .fsync(
                  request,
                  in.u64(FuseAbi.FsyncIn.FH),
                  datasync(in),
                  request.reply(FuseEncoder.NOTHING));
      case FuseAbi.RELEASE ->
          fs.files()
              .release(
                  request,
                  in.u64(FuseAbi.ReleaseIn.FH),
                  (in.u32(FuseAbi.ReleaseIn.RELEASE_FLAGS) & FuseAbi.RELEASE_FLOCK_UNLOCK) != 0,
                  in.u64(FuseAbi.ReleaseIn.LOCK_OWNER),
                  request.reply(FuseEncoder.NOTHING));
      case FuseAbi.FALLOCATE ->
          fs.files()
              .fallocate(
                  request,
                  in.u64(FuseAbi.FallocateIn.FH),
                  in.u32(FuseAbi.FallocateIn.MODE),
                  in.u64(FuseAbi.FallocateIn.OFFSET),
                  in.u64(FuseAbi.FallocateIn.LENGTH),
                  request.reply(FuseEncoder.NOTHING));
      case FuseAbi.LSEEK ->
          fs.files()
              .lseek(
                  request,
                  in.u64(FuseAbi.LseekIn.FH),
                  in.u64(FuseAbi.LseekIn.OFFSET),
                  in.u32(FuseAbi.LseekIn.WHENCE),
                  request.reply(FuseEncoder.COUNT64));
      case FuseAbi.COPY_FILE_RANGE -> copy(request, in, request.reply(FuseEncoder.COUNT32));
      case FuseAbi.COPY_FILE_RANGE_64 -> copy(request, in, request.reply(FuseEncoder.COUNT64));
      case FuseAbi.OPENDIR ->
          fs.directories()
              .opendir(
                  request,
                  request.nodeId,
                  init.has(FuseAbi.InitFlags.DO_READDIRPLUS),
                  request.reply(
                      fs.policy().watches() && !fs.policy().perCaller()
                          ? FuseEncoder.OPENDIR
                          : FuseEncoder.OPEN));
      case FuseAbi.READDIR -> readdir(request, in, false);
      case FuseAbi.READDIRPLUS -> readdir(request, in, true);
      case FuseAbi.FSYNCDIR ->
          fs.directories()
              .fsyncdir(
                  request,
                  in.u64(FuseAbi.FsyncIn.FH),
                  datasync(in),
                  request.reply(FuseEncoder.NOTHING));
      case FuseAbi.RELEASEDIR ->
          fs.directories()
              .releasedir(
                  request, in.u64(FuseAbi.ReleaseIn.FH), request.reply(FuseEncoder.NOTHING));
      case FuseAbi.GETXATTR -> getxattr(request, in);
      case FuseAbi.SETXATTR -> setxattr(request, in);
      case FuseAbi.LISTXATTR ->
          fs.xattrs()
              .listxattr(request, request.nodeId, sized(request, in.u32(FuseAbi.GetxattrIn.SIZE)));
      case FuseAbi.REMOVEXATTR ->
          fs.xattrs()
              .removexattr(request, request.nodeId, in.name(0), request.reply(FuseEncoder.NOTHING));
      case FuseAbi.GETLK ->
          fs.locks()
              .getlk(
                  request,
                  in.u64(FuseAbi.LkIn.FH),
                  in.u64(FuseAbi.LkIn.OWNER),
                  lock(in),
                  request.reply(FuseEncoder.LOCK));
      case FuseAbi.SETLK -> setlk(request, in, false);
      case FuseAbi.SETLKW -> setlk(request, in, true);
      default -> throw new ErrnoException(FuseDispatcher.UNKNOWN);
    }
  }

  private void open(FuseRequest request, RequestBody in) {
    fs.files()
        .open(
            request,
            request.nodeId,
            in.u32(FuseAbi.OpenIn.FLAGS),
            (in.u32(FuseAbi.OpenIn.OPEN_FLAGS) & FuseAbi.OPEN_KILL_SUIDGID) != 0,
            request.reply(FuseEncoder.OPEN));
  }

  private void create(FuseRequest request, RequestBody in) throws ErrnoException {
    fs.files()
        .create(
            request,
            request.nodeId,
            in.name(FuseAbi.CreateIn.SIZE),
            in.u32(FuseAbi.CreateIn.MODE),
            in.u32(FuseAbi.CreateIn.UMASK),
            in.u32(FuseAbi.CreateIn.FLAGS),
            (in.u32(FuseAbi.CreateIn.OPEN_FLAGS) & FuseAbi.OPEN_KILL_SUIDGID) != 0,
            request.reply(FuseEncoder.CREATE));
  }

  /** The kernel sends a name, too, which means nothing. */
  private void tmpfile(FuseRequest request, RequestBody in) {
    fs.files()
        .tmpfile(
            request,
            request.nodeId,
            in.u32(FuseAbi.CreateIn.MODE),
            in.u32(FuseAbi.CreateIn.UMASK),
            in.u32(FuseAbi.CreateIn.FLAGS),
            request.reply(FuseEncoder.CREATE));
  }

  private void write(FuseRequest request, RequestBody in) {
    fs.files()
        .write(
            request,
            in.u64(FuseAbi.WriteIn.FH),
            in.u64(FuseAbi.WriteIn.OFFSET),
            in.bytes(FuseAbi.WriteIn.STRUCT_SIZE, in.u32(FuseAbi.WriteIn.SIZE)),
            (in.u32(FuseAbi.WriteIn.WRITE_FLAGS) & FuseAbi.WRITE_KILL_SUIDGID) != 0,
            request.reply(FuseEncoder.COUNT32));
  }

  private void copy(FuseRequest request, RequestBody in, Reply<Long> reply) {
    // The 32-bit form's reply cannot say more than 4 GiB - 1; the kernel asks again for the rest.
    long length = in.u64(FuseAbi.CopyFileRangeIn.LEN);
    if (request.opcode == FuseAbi.COPY_FILE_RANGE) {
      length = Math.min(length, Integer.MAX_VALUE & -4096L);
    }
    fs.files()
        .copyFileRange(
            request,
            in.u64(FuseAbi.CopyFileRangeIn.FH_IN),
            in.u64(FuseAbi.CopyFileRangeIn.OFF_IN),
            in.u64(FuseAbi.CopyFileRangeIn.FH_OUT),
            in.u64(FuseAbi.CopyFileRangeIn.OFF_OUT),
            length,
            (int) in.u64(FuseAbi.CopyFileRangeIn.FLAGS),
            reply);
  }

  private void readdir(FuseRequest request, RequestBody in, boolean plus) {
    int size = in.u32(FuseAbi.ReadIn.SIZE);
    fs.directories()
        .readdir(
            request,
            in.u64(FuseAbi.ReadIn.FH),
            in.u64(FuseAbi.ReadIn.OFFSET),
            plus,
            () -> new FuseDirectory(size, plus),
            request.reply(FuseEncoder.DIRECTORY));
  }

  private void getxattr(FuseRequest request, RequestBody in) throws ErrnoException {
    fs.xattrs()
        .getxattr(
            request,
            request.nodeId,
            in.name(FuseAbi.GetxattrIn.STRUCT_SIZE),
            sized(request, in.u32(FuseAbi.GetxattrIn.SIZE)));
  }

  private void setxattr(FuseRequest request, RequestBody in) throws ErrnoException {
    boolean extended = init.has(FuseAbi.InitFlags.SETXATTR_EXT);
    int at = extended ? FuseAbi.SetxattrIn.STRUCT_SIZE : FuseAbi.SetxattrIn.COMPAT_STRUCT_SIZE;
    int flags = extended ? in.u32(FuseAbi.SetxattrIn.SETXATTR_FLAGS) : 0;
    ByteString name = in.name(at);
    fs.xattrs()
        .setxattr(
            request,
            request.nodeId,
            name,
            in.bytes(at + name.size() + 1, in.u32(FuseAbi.SetxattrIn.SIZE)),
            in.u32(FuseAbi.SetxattrIn.FLAGS),
            (flags & FuseAbi.SETXATTR_ACL_KILL_SGID) != 0,
            request.reply(FuseEncoder.NOTHING));
  }

  private void setlk(FuseRequest request, RequestBody in, boolean wait) {
    fs.locks()
        .setlk(
            request,
            in.u64(FuseAbi.LkIn.FH),
            in.u64(FuseAbi.LkIn.OWNER),
            lock(in),
            wait,
            (in.u32(FuseAbi.LkIn.LK_FLAGS) & FuseAbi.LK_FLOCK) != 0,
            request.reply(FuseEncoder.NOTHING));
  }

  private static Lock lock(RequestBody in) {
    return Lock.newBuilder()
        .setStart(in.u64(FuseAbi.LkIn.START))
        .setEnd(in.u64(FuseAbi.LkIn.END))
        .setType(in.u32(FuseAbi.LkIn.TYPE))
        .setPid(in.u32(FuseAbi.LkIn.PID))
        .build();
  }

  private static boolean datasync(RequestBody in) {
    return (in.u32(FuseAbi.FsyncIn.FSYNC_FLAGS) & FuseAbi.FSYNC_FDATASYNC) != 0;
  }

  /**
   * A reply whose size the kernel asks for ({@code room} 0), or that it has {@code room} bytes for.
   */
  private static Reply<ByteString> sized(FuseRequest request, int room) {
    if (room == 0) {
      return new MappedReply<>(
          request.reply(FuseEncoder.COUNT32), (value, reply) -> reply.success((long) value.size()));
    }
    return new MappedReply<>(
        request.reply(FuseEncoder.BYTES),
        (value, reply) -> {
          if (value.size() > room) {
            reply.error(Errno.ERANGE);
          } else {
            reply.success(value);
          }
        });
  }

  /** Passes a value on in another form. */
  private static final class MappedReply<T, R> extends Reply<T> {
    private interface Mapping<T, R> {
      void pass(T value, Reply<R> reply);
    }

    private final Reply<R> reply;
    private final Mapping<T, R> mapping;

    MappedReply(Reply<R> reply, Mapping<T, R> mapping) {
      this.reply = reply;
      this.mapping = mapping;
    }

    @Override
    protected void sendSuccess(T value) {
      mapping.pass(value, reply);
    }

    @Override
    protected void sendError(int errno) {
      reply.error(errno);
    }
  }
}
