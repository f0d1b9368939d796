package dev.hostshare.fileserver.export;

/**
 * What one session may have of ours.
 *
 * @param nodes some 300 bytes each; the guest is told, and asks its kernel to drop some before
 * @param handles a descriptor each
 * @param waitingLocks a thread each
 */
public record SessionLimits(int nodes, int handles, int waitingLocks) {
  /** Locks that wait at once; one more gets ENOLCK. */
  public static final int WAITING_LOCKS = 256;

  /** A node with its names, and a record of the overlay. */
  private static final int NODE_BYTES = 400;

  /** Of the heap, half is for nodes: of one guest, or of several that know less. */
  public static SessionLimits forDescriptors(int descriptors) {
    long nodes = Runtime.getRuntime().maxMemory() / 2 / NODE_BYTES;
    return new SessionLimits(
        Math.toIntExact(Math.min(nodes, 10_000_000)), Math.max(64, descriptors / 2), WAITING_LOCKS);
  }
}
