package dev.hostshare.agent.fs;

/** Something that a session's server gave a number, which a new session must be asked for again. */
interface Recoverable {

  /** Whether the number that we have belongs to the session {@code generation}. */
  boolean isCurrent(long generation);

  /** Writes that an operation on it has to come after; null if there can be none. */
  default PendingWrites pendingWrites() {
    return null;
  }

  /**
   * Gets a number from the session {@code generation}; may block on the server.
   *
   * @throws ErrnoException if that cannot be done: ESTALE if the file is gone
   */
  void recover(Recovery recovery, long generation) throws ErrnoException, InterruptedException;
}
