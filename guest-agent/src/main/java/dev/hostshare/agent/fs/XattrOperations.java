package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Getxattr;
import dev.hostshare.proto.v1.Listxattr;
import dev.hostshare.proto.v1.Removexattr;
import dev.hostshare.proto.v1.Setxattr;
import java.util.List;

/** Extended attributes, POSIX ACLs among them. */
public final class XattrOperations {
  private static final List<ByteString> NAMESPACES =
      List.of(
          ByteString.copyFromUtf8("user."),
          ByteString.copyFromUtf8("trusted."),
          ByteString.copyFromUtf8("security."));

  private static final List<ByteString> ACLS =
      List.of(
          ByteString.copyFromUtf8("system.posix_acl_access"),
          ByteString.copyFromUtf8("system.posix_acl_default"));

  private final Core core;

  XattrOperations(Core core) {
    this.core = core;
  }

  public void getxattr(RequestContext context, long id, ByteString name, Reply<ByteString> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null || !nameFits(name, reply)) {
      return;
    }
    if (inode.hasNoXattrs(core.policy.attrNanos(false))) {
      reply.error(Errno.ENODATA);
      return;
    }
    core.start(
        "getxattr",
        context,
        reply,
        List.of(inode),
        () -> frame().setGetxattr(Getxattr.newBuilder().setNode(inode.node()).setName(name)),
        (frame, asked) -> frame.getXattr());
  }

  /**
   * Sets an attribute. {@code flags}: XATTR_CREATE, XATTR_REPLACE; {@code killSgid}: the setgid bit
   * is to be cleared (an ACL set by one who is not in the file's group).
   */
  public void setxattr(
      RequestContext context,
      long id,
      ByteString name,
      ByteString value,
      int flags,
      boolean killSgid,
      Reply<Void> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null || !nameFits(name, reply)) {
      return;
    }
    if (value.size() > Linux.XATTR_SIZE_MAX) {
      reply.error(Errno.E2BIG);
      return;
    }
    inode.xattrsSet = true;
    inode.touch();
    Core.Request request =
        () ->
            frame()
                .setSetxattr(
                    Setxattr.newBuilder()
                        .setNode(inode.node())
                        .setName(name)
                        .setValue(value)
                        .setFlags(flags)
                        .setKillSgid(killSgid));
    Reply<Void> told = core.holding(value, reply);
    if (flags == 0) {
      core.start(
          "setxattr", context, told, List.of(inode), request, (frame, asked) -> touched(inode));
    } else {
      core.startOnce(
          "setxattr", context, told, List.of(inode), request, (frame, asked) -> touched(inode));
    }
  }

  /** An ACL changes the mode, and anything the change time. */
  private static Void touched(Inode inode) {
    inode.touch();
    return null;
  }

  /** The reply is the names, each ended by NUL. */
  public void listxattr(RequestContext context, long id, Reply<ByteString> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    if (inode.hasNoXattrs(core.policy.attrNanos(false))) {
      reply.success(ByteString.EMPTY);
      return;
    }
    core.start(
        "listxattr",
        context,
        reply,
        List.of(inode),
        () -> frame().setListxattr(Listxattr.newBuilder().setNode(inode.node())),
        (frame, asked) -> frame.getXattr());
  }

  public void removexattr(RequestContext context, long id, ByteString name, Reply<Void> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null || !nameFits(name, reply)) {
      return;
    }
    core.startOnce(
        "removexattr",
        context,
        reply,
        List.of(inode),
        () -> frame().setRemovexattr(Removexattr.newBuilder().setNode(inode.node()).setName(name)),
        (frame, asked) -> touched(inode));
  }

  /**
   * Whether a file system of Linux has attributes of that name; answers EOPNOTSUPP or ERANGE if
   * not. FUSE is asked for any name: xattr(7).
   */
  private static boolean nameFits(ByteString name, Reply<?> reply) {
    if (name.isEmpty() || name.size() > Linux.NAME_MAX) {
      reply.error(Errno.ERANGE);
      return false;
    }
    if (!ACLS.contains(name) && NAMESPACES.stream().noneMatch(name::startsWith)) {
      reply.error(Errno.EOPNOTSUPP);
      return false;
    }
    return true;
  }

  private static ClientFrame.Builder frame() {
    return ClientFrame.newBuilder();
  }
}
