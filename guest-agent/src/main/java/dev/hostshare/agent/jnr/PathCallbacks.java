package dev.hostshare.agent.jnr;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.AttributeChange;
import dev.hostshare.agent.fs.AttributeChange.Timestamp;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.NodeAttr;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
import jnr.ffi.Pointer;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.Statvfs;
import ru.serce.jnrfuse.struct.Timespec;

/** The callbacks on what has a path: unpack, walk, call the core, wait, pack. */
abstract class PathCallbacks extends CallbackBoundary {
  /** utimensat(2). */
  private static final long UTIME_NOW = (1L << 30) - 1;

  private static final long UTIME_OMIT = (1L << 30) - 2;

  PathCallbacks(FileSystem fs) {
    super(fs);
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
                    : CallbackBoundary.<NodeAttr>await(
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
                        .symlink(context, id, PathWalk.name(path), PathWalk.utf8(target), reply)));
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
    return answer(
        "truncate",
        caller -> {
          var change =
              new AttributeChange(0, null, null, null, size, null, null, killsSuidgid(caller));
          this.<NodeAttr>at(
              caller,
              path,
              (context, id, reply) -> fs.attributes().setattr(context, id, change, reply));
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
  public int getxattr(String path, String name, Pointer buffer, long size) {
    return answer(
        "getxattr",
        caller ->
            sized(
                at(
                    caller,
                    path,
                    (context, id, reply) ->
                        fs.xattrs().getxattr(context, id, PathWalk.utf8(name), reply)),
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
                          PathWalk.utf8(name),
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
                  fs.xattrs().removexattr(context, id, PathWalk.utf8(name), reply));
          return 0;
        });
  }
}
