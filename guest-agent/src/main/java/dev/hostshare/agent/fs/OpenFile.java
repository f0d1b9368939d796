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

  OpenFile(Inode inode, int flags, Binding binding) {
    this.inode = inode;
    this.flags = flags;
    this.binding = binding;
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
