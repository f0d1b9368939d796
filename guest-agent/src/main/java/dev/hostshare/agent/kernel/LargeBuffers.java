package dev.hostshare.agent.kernel;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.hostshare.proto.Linux;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * Native memory for requests and replies of any size. Those that nobody uses are shared by all
 * mounts, since only a few are busy in one moment: of twelve, one buffer for the requests of each
 * was 12 MiB resident. No part of the JVM's allowance of direct memory. Thread-safe.
 */
final class LargeBuffers {
  /** Who has one works with it; so there are rarely more at once than processors. */
  private static final int MAX_KEPT = Math.max(4, Runtime.getRuntime().availableProcessors());

  /** What is in front of a payload takes less than a page. */
  private static final int HEADERS = 4096;

  /** The one that was used last comes first: it is in the processor's cache. */
  @GuardedBy("itself")
  private static final ArrayDeque<MemorySegment> IDLE = new ArrayDeque<>(MAX_KEPT);

  private final long size;

  /** {@code maxPayload}: the most data of a file in a request or a reply, in bytes. */
  LargeBuffers(int maxPayload) {
    size = (long) Math.max(maxPayload, Linux.XATTR_SIZE_MAX) + HEADERS;
  }

  /** A buffer for the largest request and the largest reply. */
  MemorySegment take() {
    MemorySegment buffer;
    synchronized (IDLE) {
      buffer = IDLE.poll();
    }
    return buffer != null && buffer.byteSize() >= size ? buffer : Libc.mapMemory(size);
  }

  /** Nobody refers to it any more. */
  void giveBack(MemorySegment buffer) {
    synchronized (IDLE) {
      if (IDLE.size() < MAX_KEPT) {
        IDLE.push(buffer);
      }
    }
  }
}
