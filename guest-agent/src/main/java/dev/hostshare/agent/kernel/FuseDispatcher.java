package dev.hostshare.agent.kernel;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.AttributeChange;
import dev.hostshare.agent.fs.AttributeChange.Timestamp;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;

/**
 * Unpacks each request and calls the operation: names and attributes here, the rest in {@link
 * FuseFileDispatcher}.
 *
 * <p>Every request that is to be answered is, by the operation or, if an exception is thrown, by
 * the caller. Thread-safe.
 */
final class FuseDispatcher {
  private final FileSystem fs;
  private final PendingRequests pending;
  private final FuseFileDispatcher files;
  private final HiddenRoot root;

  FuseDispatcher(FileSystem fs, PendingRequests pending, FuseInit init) {
    this.fs = fs;
    this.pending = pending;
    this.files = new FuseFileDispatcher(fs, init);
    this.root = new HiddenRoot(fs);
  }

  /** Whether requests with this opcode have no reply. */
  static boolean isSilent(int opcode) {
    return opcode == FuseAbi.FORGET
        || opcode == FuseAbi.BATCH_FORGET
        || opcode == FuseAbi.INTERRUPT;
  }

  /**
   * Begins an operation; returns before it is done.
   *
   * @throws ErrnoException the answer, if no operation was begun
   */
  void dispatch(FuseRequest request, RequestBody in) throws ErrnoException {
    if (request.nodeId == HiddenRoot.ID) {
      root.dispatch(request, in);
      return;
    }
    switch (request.opcode) {
      case FuseAbi.LOOKUP ->
          fs.names().lookup(request, request.nodeId, in.name(0), request.reply(FuseEncoder.ENTRY));
      case FuseAbi.FORGET -> {
        if (!HiddenRoot.isKept(request.nodeId)) {
          fs.names()
              .forget(new long[] {request.nodeId}, new long[] {in.u64(FuseAbi.ForgetIn.NLOOKUP)});
        }
      }
      case FuseAbi.BATCH_FORGET -> batchForget(in);
      case FuseAbi.GETATTR -> getattr(request, in);
      case FuseAbi.STATX -> statx(request, in);
      case FuseAbi.SETATTR -> setattr(request, in);
      case FuseAbi.READLINK ->
          fs.names().readlink(request, request.nodeId, request.reply(FuseEncoder.BYTES));
      case FuseAbi.SYMLINK -> symlink(request, in);
      case FuseAbi.MKNOD -> mknod(request, in);
      case FuseAbi.MKDIR -> mkdir(request, in);
      case FuseAbi.UNLINK ->
          fs.names()
              .unlink(request, request.nodeId, in.name(0), request.reply(FuseEncoder.NOTHING));
      case FuseAbi.RMDIR ->
          fs.names().rmdir(request, request.nodeId, in.name(0), request.reply(FuseEncoder.NOTHING));
      case FuseAbi.RENAME ->
          rename(request, in, FuseAbi.RenameIn.SIZE, node(in, FuseAbi.RenameIn.NEWDIR), 0);
      case FuseAbi.RENAME2 ->
          rename(
              request,
              in,
              FuseAbi.Rename2In.SIZE,
              node(in, FuseAbi.Rename2In.NEWDIR),
              in.u32(FuseAbi.Rename2In.FLAGS));
      case FuseAbi.LINK ->
          fs.names()
              .link(
                  request,
                  node(in, FuseAbi.LinkIn.OLDNODEID),
                  request.nodeId,
                  in.name(FuseAbi.LinkIn.SIZE),
                  request.reply(FuseEncoder.ENTRY));
      case FuseAbi.ACCESS ->
          fs.attributes()
              .access(
                  request,
                  request.nodeId,
                  in.u32(FuseAbi.AccessIn.MASK),
                  request.reply(FuseEncoder.NOTHING));
      case FuseAbi.STATFS ->
          fs.attributes().statfs(request, request.nodeId, request.reply(FuseEncoder.STATFS));
      // Sent to virtiofs only (fc->sync_fs), but it costs nothing to know it.
      case FuseAbi.SYNCFS ->
          fs.attributes().syncfs(request, request.nodeId, request.reply(FuseEncoder.NOTHING));
      case FuseAbi.INTERRUPT -> pending.interrupt(in.u64(FuseAbi.InterruptIn.UNIQUE));
      case FuseAbi.DESTROY -> request.reply(FuseEncoder.NOTHING).success(null);
      default -> files.dispatch(request, in);
    }
  }

  private static long node(RequestBody in, int at) {
    return HiddenRoot.fromKernel(in.u64(at));
  }

  private void batchForget(RequestBody in) {
    int count = in.u32(FuseAbi.BatchForgetIn.COUNT);
    var ids = new long[count];
    var counts = new long[count];
    for (int i = 0; i < count; i++) {
      int at = FuseAbi.BatchForgetIn.SIZE + i * FuseAbi.BatchForgetIn.ONE_SIZE;
      ids[i] = node(in, at);
      counts[i] = HiddenRoot.isKept(ids[i]) ? 0 : in.u64(at + 8);
    }
    fs.names().forget(ids, counts);
  }

  private void getattr(FuseRequest request, RequestBody in) {
    boolean open = (in.u32(FuseAbi.GetattrIn.FLAGS) & FuseAbi.GETATTR_FH) != 0;
    fs.attributes()
        .getattr(
            request,
            request.nodeId,
            open ? in.u64(FuseAbi.GetattrIn.FH) : 0,
            request.reply(FuseEncoder.ATTR));
  }

  private void statx(FuseRequest request, RequestBody in) {
    boolean open = (in.u32(FuseAbi.StatxIn.GETATTR_FLAGS) & FuseAbi.GETATTR_FH) != 0;
    fs.attributes()
        .getattr(
            request,
            request.nodeId,
            open ? in.u64(FuseAbi.StatxIn.FH) : 0,
            request.reply(FuseEncoder.STATX));
  }

  private void setattr(FuseRequest request, RequestBody in) {
    int valid = in.u32(FuseAbi.SetattrIn.VALID);
    boolean chown = (valid & (FuseAbi.FATTR_UID | FuseAbi.FATTR_GID)) != 0;
    var change =
        new AttributeChange(
            (valid & FuseAbi.FATTR_FH) != 0 ? in.u64(FuseAbi.SetattrIn.FH) : 0,
            (valid & FuseAbi.FATTR_MODE) != 0
                ? in.u32(FuseAbi.SetattrIn.MODE) & Linux.PERMISSIONS
                : null,
            (valid & FuseAbi.FATTR_UID) != 0 ? in.u32(FuseAbi.SetattrIn.UID) : null,
            (valid & FuseAbi.FATTR_GID) != 0 ? in.u32(FuseAbi.SetattrIn.GID) : null,
            (valid & FuseAbi.FATTR_SIZE) != 0 ? in.u64(FuseAbi.SetattrIn.SIZE) : null,
            time(
                in,
                valid,
                FuseAbi.FATTR_ATIME,
                FuseAbi.FATTR_ATIME_NOW,
                FuseAbi.SetattrIn.ATIME,
                FuseAbi.SetattrIn.ATIMENSEC),
            time(
                in,
                valid,
                FuseAbi.FATTR_MTIME,
                FuseAbi.FATTR_MTIME_NOW,
                FuseAbi.SetattrIn.MTIME,
                FuseAbi.SetattrIn.MTIMENSEC),
            // HANDLE_KILLPRIV_V2: on a change of owner the file system does it, unasked.
            chown || (valid & FuseAbi.FATTR_KILL_SUIDGID) != 0);
    fs.attributes().setattr(request, request.nodeId, change, request.reply(FuseEncoder.ATTR));
  }

  private static Timestamp time(
      RequestBody in, int valid, int set, int now, int seconds, int nanos) {
    if ((valid & now) != 0) {
      return Timestamp.NOW;
    }
    return (valid & set) != 0 ? new Timestamp(false, in.u64(seconds), in.u32(nanos)) : null;
  }

  private void symlink(FuseRequest request, RequestBody in) throws ErrnoException {
    ByteString name = in.name(0);
    fs.names()
        .symlink(
            request,
            request.nodeId,
            name,
            in.name(name.size() + 1),
            request.reply(FuseEncoder.ENTRY));
  }

  private void mknod(FuseRequest request, RequestBody in) throws ErrnoException {
    fs.names()
        .mknod(
            request,
            request.nodeId,
            in.name(FuseAbi.MknodIn.SIZE),
            in.u32(FuseAbi.MknodIn.MODE),
            Integer.toUnsignedLong(in.u32(FuseAbi.MknodIn.RDEV)),
            in.u32(FuseAbi.MknodIn.UMASK),
            request.reply(FuseEncoder.ENTRY));
  }

  private void mkdir(FuseRequest request, RequestBody in) throws ErrnoException {
    fs.names()
        .mkdir(
            request,
            request.nodeId,
            in.name(FuseAbi.MkdirIn.SIZE),
            in.u32(FuseAbi.MkdirIn.MODE),
            in.u32(FuseAbi.MkdirIn.UMASK),
            request.reply(FuseEncoder.ENTRY));
  }

  private void rename(FuseRequest request, RequestBody in, int names, long newDir, int flags)
      throws ErrnoException {
    ByteString name = in.name(names);
    fs.names()
        .rename(
            request,
            request.nodeId,
            name,
            newDir,
            in.name(names + name.size() + 1),
            flags,
            request.reply(FuseEncoder.NOTHING));
  }

  /**
   * What is answered to a request of an opcode that we do not know: the kernel then stops asking.
   */
  static final int UNKNOWN = Errno.ENOSYS;
}
