package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.Link;
import dev.hostshare.proto.v1.Mkdir;
import dev.hostshare.proto.v1.Mknod;
import dev.hostshare.proto.v1.Readlink;
import dev.hostshare.proto.v1.Rename;
import dev.hostshare.proto.v1.Rmdir;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Symlink;
import dev.hostshare.proto.v1.Unlink;
import dev.hostshare.proto.v1.Walk;
import java.util.ArrayList;
import java.util.List;

/** Names: looking them up, making, moving and removing them. */
public final class NameOperations {
  private final Core core;

  NameOperations(Core core) {
    this.core = core;
  }

  /**
   * Looks one name up; the reply carries a lookup count. A name that is missing is ENOENT, or,
   * where the kernel may keep that, {@link NodeEntry#missing}.
   */
  public void lookup(
      RequestContext context, long parentId, ByteString name, Reply<NodeEntry> reply) {
    Inode parent = core.inode(parentId, reply);
    if (parent == null || !core.nameFits(name, reply)) {
      return;
    }
    if (answer(context, parent, name, reply)) {
      return;
    }
    core.start(
        "lookup",
        context,
        reply,
        List.of(parent),
        () -> frame().setWalk(Walk.newBuilder().setNode(parent.node()).addNames(name)),
        new Core.Completion<>() {
          @Override
          public NodeEntry complete(ServerFrame frame, Asked asked) throws ErrnoException {
            if (frame.getWalked().getEntriesCount() != 1) {
              throw new ErrnoException(Errno.EIO);
            }
            return found(context, frame.getWalked().getEntries(0), asked, parent, name);
          }

          @Override
          public NodeEntry failed(ServerFrame frame, Asked asked) throws ErrnoException {
            if (frame.getErrno() == Errno.ENOENT && frame.getWalked().getMissingWatched()) {
              return missing(parent, name, asked);
            }
            throw new ErrnoException(frame.getErrno());
          }
        });
    core.folders.asked(parent);
  }

  /** Answers from what is known of the whole directory, if that is so. */
  private boolean answer(
      RequestContext context, Inode parent, ByteString name, Reply<NodeEntry> reply) {
    // Before it is looked for: what is changed from here on is seen by whoever takes it in.
    var asked = new Asked(core.session.generation(), core.changes.count(), System.nanoTime());
    Folders.Known known = core.folders.find(parent, name);
    if (known == null) {
      return false;
    }
    core.statistics.requests.incrementAndGet();
    core.statistics.local.incrementAndGet();
    try {
      reply.success(
          known.entry() == null
              ? missing(parent, name, asked)
              : found(context, known.entry(), asked, parent, name));
    } catch (ErrnoException e) {
      core.statistics.errors.incrementAndGet();
      reply.error(e.errno());
    }
    return true;
  }

  private NodeEntry found(
      RequestContext context, Entry entry, Asked asked, Inode parent, ByteString name)
      throws ErrnoException {
    if (parent.byName) {
      core.walks.lookedAt(context.thread());
    }
    if (!core.hasRoom(entry, asked)) {
      core.giveBack(entry, asked.generation());
      throw new ErrnoException(Errno.ENOMEM);
    }
    return core.enter(entry, asked, parent, name);
  }

  /** Says that a name is missing which will be told when it comes. */
  private NodeEntry missing(Inode parent, ByteString name, Asked asked) throws ErrnoException {
    long nanos = core.policy.entryNanos(true);
    if (nanos == 0 || !core.changes.quiet(asked.changes(), parent.node(), parent.node())) {
      throw new ErrnoException(Errno.ENOENT);
    }
    var evicted = core.missing.add(new MissingNames.Name(parent.id, name));
    if (evicted != null) {
      core.notifier.later(
          () -> core.notifier.cache().invalidateEntry(evicted.directory(), evicted.name()));
    }
    return NodeEntry.missing(nanos);
  }

  /**
   * Looks up names one below the other, at most 64. The reply has an entry for each name, each with
   * a lookup count; if one is missing, the errno of that one and nothing else.
   */
  public void walk(
      RequestContext context, long parentId, List<ByteString> names, Reply<List<NodeEntry>> reply) {
    Inode parent = core.inode(parentId, reply);
    if (parent == null) {
      return;
    }
    for (ByteString name : names) {
      if (!core.nameFits(name, reply)) {
        return;
      }
    }
    core.start(
        "walk",
        context,
        reply,
        List.of(parent),
        () -> frame().setWalk(Walk.newBuilder().setNode(parent.node()).addAllNames(names)),
        (frame, asked) -> {
          var entries = new ArrayList<NodeEntry>(names.size());
          Inode above = parent;
          for (int i = 0; i < names.size(); i++) {
            NodeEntry entry =
                core.enter(frame.getWalked().getEntries(i), asked, above, names.get(i));
            entries.add(entry);
            above = core.inodes.get(entry.id());
          }
          return entries;
        });
  }

  /** Takes lookup counts back, of as many inodes as {@code ids} has. Nothing is answered. */
  public void forget(long[] ids, long[] counts) {
    var forget = Forget.newBuilder();
    long generation = -1;
    for (int i = 0; i < ids.length; i++) {
      InodeTable.Forgotten forgotten = core.inodes.forget(ids[i], counts[i]);
      if (forgotten == null) {
        continue;
      }
      core.folders.forget(ids[i]);
      core.ahead.forget(ids[i]);
      if (forgotten.parent() != null) {
        // It may have been changed since its directory was listed, and we do not know of it any
        // more.
        core.ahead.forget(forgotten.parent().id);
      }
      if (forgotten.generation() > generation) {
        // What belonged to an older session is void.
        forget.clear();
        generation = forgotten.generation();
      }
      if (forgotten.generation() == generation) {
        forget.addNodes(forgotten.one());
      }
    }
    if (forget.getNodesCount() > 0) {
      core.session.forget(generation, forget.build());
    }
  }

  public void readlink(RequestContext context, long id, Reply<ByteString> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    core.start(
        "readlink",
        context,
        reply,
        List.of(inode),
        () -> frame().setReadlink(Readlink.newBuilder().setNode(inode.node())),
        (frame, asked) -> frame.getTarget());
  }

  public void symlink(
      RequestContext context,
      long parentId,
      ByteString name,
      ByteString target,
      Reply<NodeEntry> reply) {
    make(
        "symlink",
        context,
        parentId,
        name,
        reply,
        parent ->
            frame()
                .setSymlink(
                    Symlink.newBuilder().setParent(parent.node()).setName(name).setTarget(target)));
  }

  /** {@code mode}: type and permission bits, not masked with {@code umask}. */
  public void mknod(
      RequestContext context,
      long parentId,
      ByteString name,
      int mode,
      long rdev,
      int umask,
      Reply<NodeEntry> reply) {
    make(
        "mknod",
        context,
        parentId,
        name,
        reply,
        parent ->
            frame()
                .setMknod(
                    Mknod.newBuilder()
                        .setParent(parent.node())
                        .setName(name)
                        .setMode(mode)
                        .setRdev(rdev)
                        .setUmask(umask)));
  }

  public void mkdir(
      RequestContext context,
      long parentId,
      ByteString name,
      int mode,
      int umask,
      Reply<NodeEntry> reply) {
    make(
        "mkdir",
        context,
        parentId,
        name,
        reply,
        parent ->
            frame()
                .setMkdir(
                    Mkdir.newBuilder()
                        .setParent(parent.node())
                        .setName(name)
                        .setMode(mode)
                        .setUmask(umask)));
  }

  private interface Maker {
    ClientFrame.Builder frame(Inode parent);
  }

  private void make(
      String operation,
      RequestContext context,
      long parentId,
      ByteString name,
      Reply<NodeEntry> reply,
      Maker maker) {
    Inode parent = core.inode(parentId, reply);
    if (parent == null || !core.nameFits(name, reply) || !core.hasRoom(reply)) {
      return;
    }
    core.startOnce(
        operation,
        context,
        reply,
        List.of(parent),
        () -> maker.frame(parent),
        core.changing(
            parent,
            name,
            (frame, asked) -> {
              NodeEntry made = core.enter(frame.getEntry(), asked, parent, name);
              if (frame.getEntry().getEmptyWatched()) {
                core.folders.made(core.inodes.get(made.id()), asked);
              }
              return made;
            }));
  }

  public void link(
      RequestContext context, long id, long parentId, ByteString name, Reply<NodeEntry> reply) {
    Inode inode = core.inode(id, reply);
    if (inode == null) {
      return;
    }
    Inode parent = core.inode(parentId, reply);
    if (parent == null || !core.nameFits(name, reply)) {
      return;
    }
    core.startOnce(
        "link",
        context,
        reply,
        List.of(inode, parent),
        () ->
            frame()
                .setLink(
                    Link.newBuilder()
                        .setNode(inode.node())
                        .setNewParent(parent.node())
                        .setNewName(name)),
        core.changing(
            parent, name, (frame, asked) -> core.enter(frame.getEntry(), asked, parent, name)));
  }

  public void unlink(RequestContext context, long parentId, ByteString name, Reply<Void> reply) {
    Inode parent = core.inode(parentId, reply);
    if (parent == null || !core.nameFits(name, reply)) {
      return;
    }
    core.startOnce(
        "unlink",
        context,
        reply,
        List.of(parent),
        () -> frame().setUnlink(Unlink.newBuilder().setParent(parent.node()).setName(name)),
        core.changing(
            parent,
            name,
            (frame, asked) -> {
              touch(parent, name);
              return null;
            }));
  }

  public void rmdir(RequestContext context, long parentId, ByteString name, Reply<Void> reply) {
    Inode parent = core.inode(parentId, reply);
    if (parent == null || !core.nameFits(name, reply)) {
      return;
    }
    core.startOnce(
        "rmdir",
        context,
        reply,
        List.of(parent),
        () -> frame().setRmdir(Rmdir.newBuilder().setParent(parent.node()).setName(name)),
        core.changing(
            parent,
            name,
            (frame, asked) -> {
              touch(parent, name);
              return null;
            }));
  }

  /** {@code flags}: RENAME_NOREPLACE, RENAME_EXCHANGE; others are EINVAL, as renameat2(2) says. */
  public void rename(
      RequestContext context,
      long parentId,
      ByteString name,
      long newParentId,
      ByteString newName,
      int flags,
      Reply<Void> reply) {
    Inode parent = core.inode(parentId, reply);
    if (parent == null) {
      return;
    }
    Inode newParent = core.inode(newParentId, reply);
    if (newParent == null || !core.nameFits(name, reply) || !core.nameFits(newName, reply)) {
      return;
    }
    if ((flags & ~(Linux.RENAME_NOREPLACE | Linux.RENAME_EXCHANGE)) != 0) {
      reply.error(Errno.EINVAL);
      return;
    }
    core.startOnce(
        "rename",
        context,
        reply,
        List.of(parent, newParent),
        () ->
            frame()
                .setRename(
                    Rename.newBuilder()
                        .setParent(parent.node())
                        .setName(name)
                        .setNewParent(newParent.node())
                        .setNewName(newName)
                        .setFlags(flags)),
        core.changing(
            parent,
            name,
            newParent,
            newName,
            (frame, asked) -> {
              touch(parent, name);
              touch(newParent, newName);
              core.inodes.renamed(
                  parent, name, newParent, newName, (flags & Linux.RENAME_EXCHANGE) != 0);
              return null;
            }));
  }

  /** What had this name was changed: its link count, or where it is. */
  private void touch(Inode directory, ByteString name) {
    Inode inode = core.inodes.at(directory, name);
    if (inode != null) {
      inode.touch();
    }
  }

  private static ClientFrame.Builder frame() {
    return ClientFrame.newBuilder();
  }
}
