package dev.hostshare.agent.jnr;

import com.google.common.base.Splitter;
import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.NodeEntry;
import dev.hostshare.agent.fs.RequestContext.Identity;
import dev.hostshare.proto.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * The way down to a path, with a lookup count on each inode, which are given back when it is
 * closed. For one thread.
 */
final class PathWalk implements AutoCloseable {
  static final long ROOT_ID = 1;

  /** The protocol's limit for one walk. */
  private static final int MAX_NAMES = 64;

  private static final char REPLACEMENT = '\uFFFD';

  private static final Splitter SLASHES = Splitter.on('/').omitEmptyStrings();

  private final FileSystem fs;
  private final List<NodeEntry> entries = new ArrayList<>();

  private PathWalk(FileSystem fs) {
    this.fs = fs;
  }

  /** Walks to {@code path}. */
  static PathWalk to(FileSystem fs, Identity caller, String path)
      throws ErrnoException, InterruptedException {
    return walk(fs, caller, SLASHES.splitToList(path));
  }

  /** Walks to the directory that {@code path} is in. */
  static PathWalk toParent(FileSystem fs, Identity caller, String path)
      throws ErrnoException, InterruptedException {
    List<String> names = SLASHES.splitToList(path);
    return walk(fs, caller, names.subList(0, names.size() - 1));
  }

  private static PathWalk walk(FileSystem fs, Identity caller, List<String> path)
      throws ErrnoException, InterruptedException {
    for (String name : path) {
      utf8(name);
    }
    var walk = new PathWalk(fs);
    try {
      for (int from = 0; from < path.size(); from += MAX_NAMES) {
        List<ByteString> names =
            path.subList(from, Math.min(path.size(), from + MAX_NAMES)).stream()
                .map(ByteString::copyFromUtf8)
                .toList();
        var reply = new BlockingReply<List<NodeEntry>>(caller);
        fs.names().walk(reply, walk.id(), names, reply);
        walk.entries.addAll(reply.await());
      }
      return walk;
    } catch (ErrnoException | InterruptedException | RuntimeException e) {
      walk.close();
      throw e;
    }
  }

  /** The last name of {@code path}. */
  static ByteString name(String path) throws ErrnoException {
    return utf8(path.substring(path.lastIndexOf('/') + 1));
  }

  /**
   * The bytes of a name or a symlink's target.
   *
   * @throws ErrnoException EINVAL if jnr-ffi has put replacement characters where it was not UTF-8:
   *     what was meant is lost, and must not be done to another name
   */
  static ByteString utf8(String text) throws ErrnoException {
    if (text.indexOf(REPLACEMENT) >= 0) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return ByteString.copyFromUtf8(text);
  }

  /** Where the walk ended. */
  long id() {
    return entries.isEmpty() ? ROOT_ID : entries.getLast().id();
  }

  /** What was found there; null for the root, which is not looked up. */
  NodeEntry last() {
    return entries.isEmpty() ? null : entries.getLast();
  }

  /** Leaves the last lookup count to the caller, who gives it back with {@link #forget}. */
  long keepLast() {
    return entries.isEmpty() ? ROOT_ID : entries.removeLast().id();
  }

  /** Gives one lookup count back. */
  static void forget(FileSystem fs, long id) {
    fs.names().forget(new long[] {id}, new long[] {1});
  }

  @Override
  public void close() {
    if (!entries.isEmpty()) {
      long[] ids = entries.stream().mapToLong(NodeEntry::id).toArray();
      var counts = new long[ids.length];
      java.util.Arrays.fill(counts, 1);
      fs.names().forget(ids, counts);
    }
  }
}
