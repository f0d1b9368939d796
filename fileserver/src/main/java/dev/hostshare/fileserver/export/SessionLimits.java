package dev.hostshare.fileserver.export;

/**
 * What one session may have of ours.
 *
 * @param nodes some 300 bytes each
 * @param handles a descriptor each
 * @param waitingLocks a thread each
 */
public record SessionLimits(int nodes, int handles, int waitingLocks) {
  /** Locks that wait at once; one more gets ENOLCK. */
  public static final int WAITING_LOCKS = 256;

  /**
   * 1,000,000 nodes are 300 MiB at the worst; a guest's kernel forgets under pressure of its own.
   */
  public static SessionLimits forDescriptors(int descriptors) {
    return new SessionLimits(1_000_000, Math.max(64, descriptors / 2), WAITING_LOCKS);
  }
}
