package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.Detail;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Entries;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * An open directory, with the entries that the server sent and the kernel has not asked for yet.
 *
 * <p>The kernel asks for one page's worth at a time; one request to the server fetches many of
 * those.
 */
final class OpenDirectory implements Recoverable {
  /** Not open at the server in any session: it is opened there when it is used. */
  static final OpenFile.Binding UNBOUND = new OpenFile.Binding(-1, 0);

  /** Of those in one directory, that {@link Walks} is told of. */
  private static final int MAX_SUBDIRECTORIES = 1024;

  final Inode inode;

  /** What the kernel is told of its entries, if it asks for more than their names. */
  final Detail detail;

  /** What was listed since the start. Guarded by this. */
  private final List<Inode> subdirectories = new ArrayList<>(0);

  private int files;

  /** Guarded by this: whether it was listed to its end since. */
  private boolean ended;

  private final ArrayDeque<DirEntry> ahead = new ArrayDeque<>();
  private volatile OpenFile.Binding binding;

  /** When the server was asked for what the listing begins with; null before. */
  volatile Asked begun;

  /** What {@link #ahead} is: entries after this cookie of the server, of this session. */
  private long aheadCookie;

  private Asked aheadAsked;
  private boolean aheadPlus;
  private boolean aheadEnd;
  private long aheadNanos;

  OpenDirectory(Inode inode, OpenFile.Binding binding, Detail detail) {
    this.inode = inode;
    this.binding = binding;
    this.detail = detail;
  }

  /** It is listed from the start. */
  synchronized void begins() {
    subdirectories.clear();
    files = 0;
    ended = false;
  }

  /** It is listed to its end; false if it was before. */
  synchronized boolean ends() {
    boolean first = !ended;
    ended = true;
    return first;
  }

  /** An entry is listed: a directory that the kernel is told of, or another (null). */
  synchronized void lists(Inode subdirectory) {
    if (subdirectory == null) {
      files++;
    } else if (subdirectories.size() < MAX_SUBDIRECTORIES) {
      subdirectories.add(subdirectory);
    }
  }

  synchronized List<Inode> subdirectories() {
    return List.copyOf(subdirectories);
  }

  synchronized int files() {
    return files;
  }

  OpenFile.Binding binding() {
    return binding;
  }

  void bind(OpenFile.Binding newBinding) {
    binding = newBinding;
  }

  long toCookie(long offset) throws ErrnoException {
    return inode.cookies().toCookie(offset);
  }

  long toOffset(long cookie) throws ErrnoException {
    return inode.cookies().toOffset(cookie);
  }

  /** What the server sent, at {@code nanos} of {@link System#nanoTime}. */
  record Ahead(List<DirEntry> entries, boolean end, Asked asked, long nanos) {}

  /**
   * Takes out the entries after {@code cookie}; null if those at hand are others, or older than
   * {@code maxAgeNanos}. The caller puts back what it does not use, or gives its lookup counts
   * back.
   */
  synchronized Ahead take(long cookie, boolean plus, long maxAgeNanos) {
    if (aheadNanos == 0
        || aheadCookie != cookie
        || aheadPlus != plus
        || System.nanoTime() - aheadNanos > maxAgeNanos) {
      return null;
    }
    var taken = new Ahead(List.copyOf(ahead), aheadEnd, aheadAsked, aheadNanos);
    ahead.clear();
    aheadNanos = 0;
    return taken;
  }

  /** Puts the entries after {@code cookie} by; returns those that they replace. */
  synchronized Ahead put(long cookie, boolean plus, Ahead rest) {
    Ahead replaced = drop();
    ahead.addAll(rest.entries());
    aheadCookie = cookie;
    aheadPlus = plus;
    aheadEnd = rest.end();
    aheadAsked = rest.asked();
    aheadNanos = rest.nanos();
    return replaced;
  }

  /** Puts the first entries by, of a directory that nobody has read yet. */
  void beginsWith(boolean plus, Ahead first) {
    put(0, plus, first);
  }

  /** Takes out everything, to be given back. */
  synchronized Ahead drop() {
    var dropped = new Ahead(new ArrayList<>(ahead), aheadEnd, aheadAsked, aheadNanos);
    ahead.clear();
    aheadNanos = 0;
    return dropped;
  }

  static Ahead of(Entries entries, Asked asked) {
    return new Ahead(
        entries.getEntriesList(),
        entries.getEnd() || entries.getEntriesCount() == 0,
        asked,
        System.nanoTime());
  }

  @Override
  public boolean isCurrent(long generation) {
    return binding.generation() == generation;
  }

  @Override
  public void recover(Recovery recovery, long generation)
      throws ErrnoException, InterruptedException {
    recovery.reopen(this, generation);
  }
}
