package dev.hostshare.fileserver.host;

import java.util.function.Consumer;

/**
 * Tells of changes in watched directories, and whether this process made them. Thread-safe. Closed
 * after its last use: descriptors are reused.
 */
public interface HostWatch extends AutoCloseable {
  /** A name came, went, or now means another file. */
  int NAME = 1;

  /** Content or attributes changed of what the name means. */
  int FILE = 2;

  /**
   * A change.
   *
   * @param directory the key that {@link #watch} answered; null where changes were lost, then
   *     nothing that was known of any directory holds any more
   * @param name the entry of the directory, or {@link HostFs#SELF} for the directory itself
   * @param kinds {@link #NAME} and {@link #FILE}, at least one
   * @param own whether this process made the change
   */
  record Change(String directory, byte[] name, int kinds, boolean own) {}

  /**
   * Watches a directory: its entries, the files under them, and itself, not what lies deeper. What
   * is changed after this returns is told. A directory that is watched already stays so.
   *
   * @param dir a descriptor, a location descriptor will do
   * @return the directory's key, the same at each call
   * @throws ErrnoException ENOSPC when no more directories may be watched; EXDEV, EOPNOTSUPP,
   *     ENODEV where the file system cannot be watched
   */
  String watch(int dir) throws ErrnoException;

  /** Ends a watch; ENOENT if there is none. */
  void unwatch(int dir) throws ErrnoException;

  /** Ends all watches at once. */
  void unwatchAll() throws ErrnoException;

  /** Waits until there are changes to be told; EINTR when {@code turn} was cancelled. */
  void await(BlockingCall turn) throws ErrnoException;

  /**
   * Passes on every change made before the call that was not told yet, without waiting, in their
   * order. One call at a time: another waits, and then finds nothing left that was made before it.
   */
  void drain(Consumer<Change> sink) throws ErrnoException;

  @Override
  void close();
}
