package dev.hostshare.fileserver.export;

/**
 * Sees a file being written from one end to the other, so that the disk can begin before the guest
 * waits for it with fsync(2): 512 MiB and an fsync at 240 MiB/s rather than 195, where a local
 * program makes 340. The kernel would begin when a tenth of the memory is dirty, or after 30 s.
 *
 * <p>Thread-safe. Writes that come out of order are no stream.
 */
final class WriteStream {
  /** Half of it is on its way while the other half is written. */
  static final long STEP = 8 << 20;

  /** A file shorter than this may well be gone again before the kernel writes it. */
  private static final long FIRST = 32 << 20;

  private long start;
  private long end;
  private long begun;

  /**
   * After a write.
   *
   * @return whether the disk should begin with {@link #STEP} bytes from {@link #begin} on
   */
  synchronized boolean wrote(long offset, long count) {
    if (offset != end) {
      start = offset;
      begun = offset;
    }
    end = offset + count;
    return end - start >= FIRST && end - begun >= STEP;
  }

  /** Where to begin; the next time it is after that. */
  synchronized long begin() {
    long from = begun;
    begun += STEP;
    return from;
  }
}
