package dev.hostshare.agent.fs;

import dev.hostshare.proto.Linux;

/**
 * An open file: the kernel's handle, the server's number for it, and the locks taken through it.
 */
final class OpenFile implements Recoverable {

  /** Flags that act on the name or the moment of opening, and must not act again. */
  private static final int ONCE =
      Linux.O_CREAT | Linux.O_EXCL | Linux.O_TRUNC | Linux.O_NOFOLLOW | Linux.O_TMPFILE;

  /** The server's handle in one session. */
  record Binding(long generation, long handle) {}

  final Inode inode;
  final int flags;
  volatile Binding binding;

  /** Non-zero once it could not be recovered: what every operation on it answers from then on. */
  volatile int lost;

  /** Errors of writes that had been answered, as many as its opener knows of. */
  private int errorsTold;

  /** The same of fsync(2), which tells again what close(2) or write(2) told. */
  private int errorsSynced;

  OpenFile(Inode inode, int flags, Binding binding) {
    this.inode = inode;
    this.flags = flags;
    this.binding = binding;
    PendingWrites writes = inode.pendingWrites();
    errorsTold = writes == null ? 0 : writes.errors();
    errorsSynced = writes == null ? 0 : writes.errorsSynced();
  }

  @Override
  public PendingWrites pendingWrites() {
    return inode.pendingWrites();
  }

  /** Whether a write may be answered before the server has it. */
  boolean writesBehind() {
    return (flags & (Linux.O_APPEND | Linux.O_DIRECT)) == 0;
  }

  /**
   * What close(2) or the next write(2) is to tell: the last error of a write to the inode that had
   * been answered, whoever wrote; 0 if there is none since it was opened, or it was told.
   */
  synchronized int takeError() {
    PendingWrites writes = inode.pendingWrites();
    if (writes == null || writes.errors() == errorsTold) {
      return 0;
    }
    errorsTold = writes.errors();
    return writes.lastError();
  }

  /**
   * What fsync(2) is to tell: the last error as above, whether close(2) told it or not, or one from
   * before it was opened that no fsync has told; once for each open file, as Linux counts them
   * (lib/errseq.c). Close need not tell it again then.
   */
  synchronized int takeSyncError() {
    PendingWrites writes = inode.pendingWrites();
    if (writes == null || writes.errors() == errorsSynced) {
      return 0;
    }
    errorsSynced = writes.errors();
    errorsTold = errorsSynced;
    return writes.syncError();
  }

  boolean appends() {
    return (flags & Linux.O_APPEND) != 0;
  }

  /** The flags to open it with again. */
  int reopenFlags() {
    return flags & ~ONCE;
  }

  long handle() {
    return binding.handle();
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
