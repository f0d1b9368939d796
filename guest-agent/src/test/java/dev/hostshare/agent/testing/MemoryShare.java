package dev.hostshare.agent.testing;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Detail;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Entries;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Lock;
import dev.hostshare.proto.v1.Mounted;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.OwnerPolicy;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Share;
import dev.hostshare.proto.v1.Statvfs;
import dev.hostshare.proto.v1.Walked;
import dev.hostshare.proto.v1.Write;
import dev.hostshare.proto.v1.WritePiece;
import dev.hostshare.proto.v1.Written;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A share in memory. Files outlive {@link #newSession}; node ids and handles do not, and start from
 * another number, so that one of an old session is noticed. Thread-safe.
 */
public final class MemoryShare {
  public static final String PATH = "/memory";

  /** A file or directory. */
  public static final class File {
    public final long ino;
    public final int mode;
    public final TreeMap<String, File> children = new TreeMap<>();
    public ByteString content = ByteString.EMPTY;
    public long mtime = 1000;

    File(long ino, int mode) {
      this.ino = ino;
      this.mode = mode;
    }
  }

  private record Handle(File file, int flags) {}

  private final Map<Long, File> nodes = new HashMap<>();
  private final Map<File, Long> nodeIds = new HashMap<>();
  private final Map<Long, Long> lookups = new HashMap<>();
  private final Map<Long, Handle> handles = new HashMap<>();
  private final File root = new File(1, Linux.S_IFDIR | 0755);
  private long nextIno = 2;
  private int maxSize = Integer.MAX_VALUE;
  private long nextId = 1000;

  /** {@code /dir/sub/file}: makes what is missing. */
  public synchronized File put(String path, String content) {
    File at = root;
    for (String name : path.substring(1, path.lastIndexOf('/') + 1).split("/", -1)) {
      if (!name.isEmpty()) {
        at = at.children.computeIfAbsent(name, n -> new File(nextIno++, Linux.S_IFDIR | 0755));
      }
    }
    File file =
        at.children.computeIfAbsent(
            path.substring(path.lastIndexOf('/') + 1),
            n -> new File(nextIno++, Linux.S_IFREG | 0644));
    file.content = ByteString.copyFromUtf8(content);
    file.mtime++;
    return file;
  }

  /** As a restart of the server. */
  public synchronized void newSession() {
    nodes.clear();
    nodeIds.clear();
    lookups.clear();
    handles.clear();
    nextId += 100_000;
  }

  /** Lookup counts that the client holds on {@code file}. */
  public synchronized long lookups(File file) {
    return lookups.getOrDefault(nodeIds.getOrDefault(file, 0L), 0L);
  }

  public synchronized int openHandles() {
    return handles.size();
  }

  /** Does one request. */
  public synchronized ServerFrame.Builder answer(ClientFrame frame) {
    try {
      return run(frame);
    } catch (Failure e) {
      return ServerFrame.newBuilder().setErrno(e.errno);
    }
  }

  private ServerFrame.Builder run(ClientFrame frame) {
    var reply = ServerFrame.newBuilder();
    return switch (frame.getOpCase()) {
      case MOUNT -> {
        if (!frame.getMount().getPath().equals(PATH)) {
          throw new Failure(Errno.ENOENT);
        }
        yield reply.setMounted(Mounted.newBuilder().setShare(share()).setRoot(entry(root)));
      }
      case WALK -> walk(frame, reply);
      case GETATTR -> reply.setAttr(attr(node(frame.getGetattr().getNode())));
      case SETATTR -> reply.setAttr(attr(node(frame.getSetattr().getNode())));
      case MKDIR -> {
        File parent = node(frame.getMkdir().getParent());
        String name = frame.getMkdir().getName().toStringUtf8();
        if (parent.children.containsKey(name)) {
          throw new Failure(Errno.EEXIST);
        }
        File made = new File(nextIno++, Linux.S_IFDIR | 0755);
        parent.children.put(name, made);
        yield reply.setEntry(entry(made));
      }
      case UNLINK -> {
        File parent = node(frame.getUnlink().getParent());
        if (parent.children.remove(frame.getUnlink().getName().toStringUtf8()) == null) {
          throw new Failure(Errno.ENOENT);
        }
        yield reply;
      }
      case RENAME -> {
        File from = node(frame.getRename().getParent());
        File moved = from.children.remove(frame.getRename().getName().toStringUtf8());
        if (moved == null) {
          throw new Failure(Errno.ENOENT);
        }
        node(frame.getRename().getNewParent())
            .children
            .put(frame.getRename().getNewName().toStringUtf8(), moved);
        yield reply;
      }
      case OPEN -> {
        File file = node(frame.getOpen().getNode());
        yield reply.setOpened(
            Opened.newBuilder()
                .setHandle(open(file, frame.getOpen().getFlags()))
                .setAttr(attr(file)));
      }
      case CREATE -> {
        File parent = node(frame.getCreate().getParent());
        File file =
            parent.children.computeIfAbsent(
                frame.getCreate().getName().toStringUtf8(),
                n -> new File(nextIno++, Linux.S_IFREG | 0644));
        yield reply.setOpened(
            Opened.newBuilder()
                .setHandle(open(file, frame.getCreate().getFlags()))
                .setEntry(entry(file))
                .setCreated(true));
      }
      case OPENDIR ->
          reply.setOpened(
              Opened.newBuilder().setHandle(open(node(frame.getOpendir().getNode()), 0)));
      case READDIR -> readdir(frame, reply);
      case READ -> {
        ByteString content = handle(frame.getRead().getHandle()).file().content;
        int from = (int) Math.min(content.size(), frame.getRead().getOffset());
        int to = Math.min(content.size(), from + frame.getRead().getSize());
        yield reply.setData(content.substring(from, to));
      }
      case WRITE -> write(frame, reply);
      case RELEASE -> {
        if (handles.remove(frame.getRelease().getHandle()) == null) {
          throw new Failure(Errno.EBADF);
        }
        yield reply;
      }
      case FLUSH, FSYNC, SETLK -> {
        handle(
            frame.hasFlush()
                ? frame.getFlush().getHandle()
                : frame.hasFsync() ? frame.getFsync().getHandle() : frame.getSetlk().getHandle());
        yield reply;
      }
      case GETLK -> reply.setLock(Lock.newBuilder().setType(Linux.F_UNLCK));
      case STATFS -> reply.setStatvfs(Statvfs.newBuilder().setBsize(4096).setNamelen(255));
      case GETXATTR -> throw new Failure(Errno.ENODATA);
      case LISTXATTR -> reply.setXattr(ByteString.EMPTY);
      default -> throw new Failure(Errno.ENOSYS);
    };
  }

  private ServerFrame.Builder walk(ClientFrame frame, ServerFrame.Builder reply) {
    File at = node(frame.getWalk().getNode());
    var walked = Walked.newBuilder();
    for (ByteString name : frame.getWalk().getNamesList()) {
      at = at.children.get(name.toStringUtf8());
      if (at == null) {
        return reply.setErrno(Errno.ENOENT).setWalked(walked);
      }
      walked.addEntries(entry(at));
    }
    return reply.setWalked(walked);
  }

  /**
   * A cookie is the number of the entry, with the highest bit set: as odd as the contract allows.
   */
  private ServerFrame.Builder readdir(ClientFrame frame, ServerFrame.Builder reply) {
    File directory = handle(frame.getReaddir().getHandle()).file();
    long after = frame.getReaddir().getCookie() & Long.MAX_VALUE;
    var entries = Entries.newBuilder();
    long number = 0;
    int bytes = 0;
    for (Map.Entry<String, File> child : directory.children.entrySet()) {
      number++;
      if (number <= after) {
        continue;
      }
      bytes += 100;
      if (bytes > frame.getReaddir().getSize()) {
        return reply.setEntries(entries);
      }
      var entry =
          DirEntry.newBuilder()
              .setName(ByteString.copyFromUtf8(child.getKey()))
              .setCookie(number | Long.MIN_VALUE)
              .setIno(child.getValue().ino)
              .setType(child.getValue().mode & Linux.S_IFMT);
      if (frame.getReaddir().getDetail() == Detail.ATTRIBUTES) {
        entry.setEntry(entry(child.getValue()));
      }
      entries.addEntries(entry);
    }
    return reply.setEntries(entries.setEnd(true));
  }

  private ServerFrame.Builder write(ClientFrame frame, ServerFrame.Builder reply) {
    Write write = frame.getWrite();
    Handle handle = handle(write.getHandle());
    int size = handle.file().content.size();
    long at = (handle.flags() & Linux.O_APPEND) != 0 ? size : write.getOffset();
    if (at >= maxSize) {
      return reply.setErrno(Errno.ENOSPC);
    }
    long count = write(handle.file(), at, write.getData());
    for (WritePiece piece : write.getMoreList()) {
      count += write(handle.file(), piece.getOffset(), piece.getData());
    }
    return reply.setWritten(Written.newBuilder().setCount(count).setOffset(at));
  }

  /** Writes what fits; answers how much that is. */
  private int write(File file, long offset, ByteString data) {
    int at = (int) offset;
    int count = Math.clamp(maxSize - offset, 0, data.size());
    ByteString old = file.content;
    ByteString head =
        old.size() >= at
            ? old.substring(0, at)
            : old.concat(ByteString.copyFrom(new byte[at - old.size()]));
    ByteString tail = old.size() > at + count ? old.substring(at + count) : ByteString.EMPTY;
    file.content = head.concat(data.substring(0, count)).concat(tail);
    file.mtime++;
    return count;
  }

  /** The disk is full where a file reaches this size. */
  public synchronized void full(int bytes) {
    maxSize = bytes;
  }

  /** Takes lookup counts back. */
  public synchronized void forget(long node, long count) {
    lookups.merge(node, -count, Long::sum);
    notifyAll();
  }

  /**
   * Waits, at most 5 s, until the client holds none on {@code file}; returns how many there are.
   */
  public synchronized long awaitNoLookups(File file) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    for (long left = end - System.nanoTime(); lookups(file) != 0 && left > 0; ) {
      TimeUnit.NANOSECONDS.timedWait(this, left);
      left = end - System.nanoTime();
    }
    return lookups(file);
  }

  public static Share share() {
    return Share.newBuilder().setPath(PATH).setOwner(OwnerPolicy.HOST).build();
  }

  private long open(File file, int flags) {
    if ((flags & Linux.O_TRUNC) != 0) {
      file.content = ByteString.EMPTY;
    }
    long id = nextId++;
    handles.put(id, new Handle(file, flags));
    return id;
  }

  private Entry entry(File file) {
    long id = nodeIds.computeIfAbsent(file, f -> nextId++);
    nodes.put(id, file);
    lookups.merge(id, 1L, Long::sum);
    return Entry.newBuilder().setNode(id).setAttr(attr(file)).build();
  }

  private static Attr attr(File file) {
    return Attr.newBuilder()
        .setIno(file.ino)
        .setMode(file.mode)
        .setNlink(1)
        .setSize(file.content.size())
        .setMtime(file.mtime)
        .setCtime(file.mtime)
        .setBtime(1)
        .setBlksize(4096)
        .setVolume(1)
        .build();
  }

  private File node(long id) {
    File file = nodes.get(id);
    if (file == null) {
      throw new Failure(Errno.ESTALE);
    }
    return file;
  }

  private Handle handle(long id) {
    Handle handle = handles.get(id);
    if (handle == null) {
      throw new Failure(Errno.EBADF);
    }
    return handle;
  }

  private static final class Failure extends RuntimeException {
    @java.io.Serial private static final long serialVersionUID = 1;

    final int errno;

    Failure(int errno) {
      super(Errno.name(errno));
      this.errno = errno;
    }
  }
}
