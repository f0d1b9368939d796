package dev.hostshare.agent.fs;

import dev.hostshare.proto.Linux;
import java.util.concurrent.atomic.AtomicInteger;

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

  /** The error of a write that had been answered before; 0 if there is none, or it was told. */
  private final AtomicInteger lateError = new AtomicInteger();

  OpenFile(Inode inode, int flags, Binding binding) {
    this.inode = inode;
    this.flags = flags;
    this.binding = binding;
  }

  @Override
  public PendingWrites pendingWrites() {
    return inode.pendingWrites();
  }

  /** Whether a write may be answered before the server has it. */
  boolean writesBehind() {
    return (flags & (Linux.O_APPEND | Linux.O_DIRECT)) == 0;
  }

  void failLater(int errno) {
    lateError.compareAndSet(0, errno);
  }

  /** The error that has not been told yet, or 0; to be told by the caller. */
  int takeError() {
    return lateError.getAndSet(0);
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
