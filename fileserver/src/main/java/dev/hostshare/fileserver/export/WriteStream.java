package dev.hostshare.fileserver.export;

/**
 * Sees a file being written from one end to the other, so that the disk can begin before the guest
 * waits for it with fsync(2): 512 MiB and an fsync at 240 MiB/s rather than 195, where a local
 * program makes 340. The kernel would begin when a tenth of the memory is dirty, or after 30 s.
 *
 * <p>Thread-safe. Writes may come a little out of order.
 */
final class WriteStream {
  /** How much the disk is given at a time. */
  static final long STEP = 8 << 20;

  /** A file shorter than this may well be gone again before the kernel writes it. */
  private static final long FIRST = 32 << 20;

  /** A client has several writes on their way, and they are done by several threads. */
  private static final long DISORDER = 8 << 20;

  private long start;
  private long end;
  private long begun;

  /**
   * After a write.
   *
   * @return where the disk should begin with {@link #STEP} bytes, or -1
   */
  synchronized long wrote(long offset, long count) {
    if (Math.abs(offset - end) > DISORDER) {
      start = offset;
      end = offset;
      begun = offset;
    }
    end = Math.max(end, offset + count);
    if (end - start < FIRST || end - begun < STEP + DISORDER) {
      return -1;
    }
    begun += STEP;
    return begun - STEP;
  }
}
