package dev.hostshare.fileserver.rpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * Native memory for the data of reads and writes on its way to the host and from it, for all
 * sessions together: who moves data has one meanwhile. One for each thread of each session would be
 * more than the server may have, with four mounts in use, or with eight processors.
 *
 * <p>No part of the JVM's allowance of direct memory, which the connections need. Thread-safe.
 */
final class PayloadBuffers {
  /** Those beyond were needed at once for a moment. */
  private static final int MAX_KEPT = 8;

  /** To be closed after use. */
  final class Buffer implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    final MemorySegment memory = arena.allocate(size);

    @Override
    public void close() {
      synchronized (idle) {
        if (idle.size() < MAX_KEPT) {
          idle.push(this);
          return;
        }
      }
      arena.close();
    }
  }

  private final int size;

  @GuardedBy("itself")
  private final ArrayDeque<Buffer> idle = new ArrayDeque<>(MAX_KEPT);

  /** {@code size}: bytes of each. */
  PayloadBuffers(int size) {
    this.size = size;
  }

  int size() {
    return size;
  }

  /** The one that was used last, if there is one: it is in the processor's cache. */
  Buffer take() {
    synchronized (idle) {
      if (!idle.isEmpty()) {
        return idle.pop();
      }
    }
    return new Buffer();
  }
}
