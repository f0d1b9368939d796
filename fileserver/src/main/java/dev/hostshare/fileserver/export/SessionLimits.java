package dev.hostshare.fileserver.export;

/**
 * What one session may have of ours.
 *
 * @param nodes some 300 bytes each; the guest is told, and asks its kernel to drop some before
 * @param all those of all sessions
 * @param handles a descriptor each
 * @param waitingLocks a thread each
 */
public record SessionLimits(int nodes, NodeCount all, int handles, int waitingLocks) {
  /** Locks that wait at once; one more gets ENOLCK. */
  public static final int WAITING_LOCKS = 256;

  /** A node with its name and its places in the tables: 285 where names are of 15 bytes. */
  private static final int NODE_BYTES = 300;

  /** Limits for a server: half of the heap is for the nodes of one guest, two thirds for all. */
  public static SessionLimits forDescriptors(int descriptors) {
    int most = Math.toIntExact(Math.min(Runtime.getRuntime().maxMemory() / NODE_BYTES, 20_000_000));
    return new SessionLimits(
        most / 2, new NodeCount(most / 3 * 2), Math.max(64, descriptors / 2), WAITING_LOCKS);
  }
}
