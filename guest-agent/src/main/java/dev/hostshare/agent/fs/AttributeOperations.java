package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.Access;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Getattr;
import dev.hostshare.proto.v1.Setattr;
import dev.hostshare.proto.v1.Statfs;
import dev.hostshare.proto.v1.Statvfs;
import dev.hostshare.proto.v1.Syncfs;
import dev.hostshare.proto.v1.Time;
import java.util.ArrayList;
import java.util.List;

/** Attributes of inodes and of the file system. */
public final class AttributeOperations {
  private final Core core;

  AttributeOperations(Core core) {
    this.core = core;
  }

  /** {@code handle}: an open file of the inode, or 0. Serves stat and statx. */
  public void getattr(RequestContext context, long id, long handle, Reply<NodeAttr> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    Attr settled = handle == 0 ? inode.settled() : null;
    if (settled != null) {
      reply.success(new NodeAttr(settled, core.policy.attrNanos(true)));
      return;
    }
    OpenFile file = core.handles.file(handle);
    core.start(
        "getattr",
        context,
        reply,
        targets(inode, file),
        () -> {
          var getattr = Getattr.newBuilder().setNode(inode.node());
          if (file != null) {
            getattr.setHandle(file.handle());
          }
          return ClientFrame.newBuilder().setGetattr(getattr);
        },
        (frame, asked) -> core.told(inode, frame.getAttr(), asked));
  }

  public void setattr(
      RequestContext context, long id, AttributeChange change, Reply<NodeAttr> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    inode.touch();
    OpenFile file = core.handles.file(change.handle());
    core.start(
        "setattr",
        context,
        reply,
        targets(inode, file),
        () -> ClientFrame.newBuilder().setSetattr(setattr(inode, file, change)),
        (frame, asked) -> {
          inode.touch();
          if (change.size() != null) {
            inode.truncated();
          }
          return core.toldByUs(inode, frame.getAttr(), asked);
        });
  }

  private static Setattr setattr(Inode inode, OpenFile file, AttributeChange change) {
    var setattr = Setattr.newBuilder().setNode(inode.node()).setKillSuidgid(change.killSuidgid());
    if (file != null) {
      setattr.setHandle(file.handle());
    }
    if (change.mode() != null) {
      setattr.setMode(change.mode());
    }
    if (change.uid() != null) {
      setattr.setUid(change.uid());
    }
    if (change.gid() != null) {
      setattr.setGid(change.gid());
    }
    if (change.size() != null) {
      setattr.setSize(change.size());
    }
    if (change.atime() != null) {
      setattr.setAtime(time(change.atime()));
    }
    if (change.mtime() != null) {
      setattr.setMtime(time(change.mtime()));
    }
    return setattr.build();
  }

  private static Time time(AttributeChange.Timestamp time) {
    return time.now()
        ? Time.newBuilder().setNow(true).build()
        : Time.newBuilder().setSec(time.seconds()).setNsec(time.nanos()).build();
  }

  /** A file that is open is asked through its handle as well: it may have no name any more. */
  private static List<Recoverable> targets(Inode inode, OpenFile file) {
    var targets = new ArrayList<Recoverable>(2);
    targets.add(inode);
    if (file != null) {
      targets.add(file);
    }
    return targets;
  }

  /** {@code mask}: R_OK, W_OK, X_OK. The kernel asks only where it does not check itself. */
  public void access(RequestContext context, long id, int mask, Reply<Void> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    core.start(
        "access",
        context,
        reply,
        List.of(inode),
        () ->
            ClientFrame.newBuilder()
                .setAccess(Access.newBuilder().setNode(inode.node()).setMask(mask)),
        (frame, asked) -> null);
  }

  public void statfs(RequestContext context, long id, Reply<Statvfs> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    core.start(
        "statfs",
        context,
        reply,
        List.of(inode),
        () -> ClientFrame.newBuilder().setStatfs(Statfs.newBuilder().setNode(inode.node())),
        (frame, asked) -> frame.getStatvfs());
  }

  public void syncfs(RequestContext context, long id, Reply<Void> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    core.afterWrites(
        core.inodes.all(),
        () ->
            core.start(
                "syncfs",
                context,
                reply,
                List.of(inode),
                () -> ClientFrame.newBuilder().setSyncfs(Syncfs.newBuilder().setNode(inode.node())),
                (frame, asked) -> null));
  }
}
