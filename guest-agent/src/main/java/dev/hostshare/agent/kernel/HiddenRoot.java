package dev.hostshare.agent.kernel;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.NodeAttr;
import dev.hostshare.agent.fs.NodeEntry;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
import java.util.concurrent.TimeUnit;

/**
 * The root of the FUSE file system: a directory with one entry, the share's root, which alone is
 * mounted where users see it.
 *
 * <p>Why: the kernel makes the root inode before FUSE_INIT has agreed on POSIX ACLs, and marks it
 * as one whose ACLs are never cached (fs/fuse/inode.c, fuse_init_inode; ACL_DONT_CACHE). Each path
 * walk through it by anyone but its owner would ask us for its ACL: 100,000 stat calls by path took
 * 64,641 getxattr requests and twice the time. An inode that is made later has none of that.
 *
 * <p>The kernel's node id of an inode is therefore ours and one more.
 */
final class HiddenRoot {
  /** The node id, in our numbers, of the hidden root. */
  static final long ID = 0;

  /** The node id, in our numbers, of the share's root. */
  private static final long SHARE_ID = 1;

  /** The name of the one entry. */
  static final String SHARE = "share";

  private static final ByteString NAME = ByteString.copyFromUtf8(SHARE);

  /** For good: a name that vanished would take the mount with it. */
  private static final long FOR_EVER = TimeUnit.DAYS.toNanos(36500);

  private static final Attr ATTRIBUTES =
      Attr.newBuilder().setIno(1).setMode(Linux.S_IFDIR | 0755).setNlink(2).build();

  private static final FuseEncoder<NodeAttr> SHARE_ENTRY =
      FuseEncoder.of(
          FuseAbi.EntryOut.SIZE,
          (value, out) ->
              FuseEncoder.entry(
                  new NodeEntry(SHARE_ID, value.attr(), FOR_EVER, value.attrNanos()), out, 0));

  private final FileSystem fs;

  HiddenRoot(FileSystem fs) {
    this.fs = fs;
  }

  static long fromKernel(long nodeId) {
    return nodeId - 1;
  }

  static long toKernel(long id) {
    return id + 1;
  }

  /** Whether a count given back is the share's root's: that inode stays as long as the mount. */
  static boolean isKept(long id) {
    return id == SHARE_ID;
  }

  void dispatch(FuseRequest request, RequestBody in) throws ErrnoException {
    switch (request.opcode) {
      case FuseAbi.LOOKUP -> {
        if (!in.name(0).equals(NAME)) {
          throw new ErrnoException(Errno.ENOENT);
        }
        fs.attributes().getattr(request, SHARE_ID, 0, request.reply(SHARE_ENTRY));
      }
      case FuseAbi.GETATTR ->
          request.reply(FuseEncoder.ATTR).success(new NodeAttr(ATTRIBUTES, FOR_EVER));
      case FuseAbi.STATX ->
          request.reply(FuseEncoder.STATX).success(new NodeAttr(ATTRIBUTES, FOR_EVER));
      case FuseAbi.STATFS ->
          fs.attributes().statfs(request, SHARE_ID, request.reply(FuseEncoder.STATFS));
      case FuseAbi.GETXATTR -> throw new ErrnoException(Errno.ENODATA);
      case FuseAbi.FORGET -> {
        // Never sent for the root, and it has no reply.
      }
      default -> throw new ErrnoException(Errno.EACCES);
    }
  }
}
