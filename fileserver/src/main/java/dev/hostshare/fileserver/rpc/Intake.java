package dev.hostshare.fileserver.rpc;

/**
 * What a session has under way: requests that were read, until they are done, whichever of its
 * connections they came by. Thread-safe.
 */
final class Intake {
  private int requests;
  private long bytes;

  /** A request was read. */
  synchronized void begins(long size) {
    requests++;
    bytes += size;
  }

  /** It takes up no room any more but for its reply. */
  synchronized void ends(long size) {
    requests--;
    bytes -= size;
  }

  /** Whether another may be read. */
  synchronized boolean hasRoom(long maxBytes) {
    return requests < Session.MAX_IN_FLIGHT && bytes < maxBytes;
  }
}
