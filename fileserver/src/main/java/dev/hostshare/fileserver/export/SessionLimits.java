package dev.hostshare.fileserver.export;

/**
 * What one session may have of ours.
 *
 * @param nodes some 300 bytes each; the guest is told, and asks its kernel to drop some before
 * @param allNodes those of all sessions
 * @param handles a descriptor each, and one for each process that has locks in a file
 * @param allHandles those of all sessions
 * @param waitingLocks a thread each
 */
public record SessionLimits(
    int nodes, Quota allNodes, int handles, Quota allHandles, int waitingLocks) {
  /** Locks that wait at once; one more gets ENOLCK. */
  public static final int WAITING_LOCKS = 256;

  /** A node with its name and its places in the tables: 285 where names are of 15 bytes. */
  private static final int NODE_BYTES = 300;

  /**
   * Limits for a server: half of the heap is for the nodes of one guest, two thirds for all; of the
   * descriptors half and five eighths, since a quarter is for cached directories, and what is left
   * for the server itself.
   */
  public static SessionLimits forDescriptors(int descriptors) {
    int most = Math.toIntExact(Math.min(Runtime.getRuntime().maxMemory() / NODE_BYTES, 20_000_000));
    return new SessionLimits(
        most / 2,
        new Quota(most / 3 * 2),
        Math.max(64, descriptors / 2),
        new Quota(Math.max(80, descriptors / 8 * 5)),
        WAITING_LOCKS);
  }
}
