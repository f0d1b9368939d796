package dev.hostshare.perf.work;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * What is in the measured files: slices of one random buffer, so that no two pages are alike and a
 * page that is not the expected one, or is from an earlier writing, is told by its first 8 bytes.
 */
final class Content {
  static final int PAGE = 4096;

  /** The unit in which big files are written: within one, content is a contiguous slice. */
  static final int CHUNK = 1 << 20;

  /** Odd: consecutive chunks start at places that do not repeat for 2^17 of them. */
  private static final long STRIDE = 4099 * 8;

  private static final MemorySegment RANDOM = random();

  private Content() {}

  private static MemorySegment random() {
    var bytes = new byte[2 * CHUNK];
    new Random(1).nextBytes(bytes);
    return Arena.global().allocate(bytes.length, PAGE).copyFrom(MemorySegment.ofArray(bytes));
  }

  /** The content of a small file: one page. */
  static MemorySegment ofFile(int number) {
    return RANDOM.asSlice(number * STRIDE % CHUNK, PAGE);
  }

  /**
   * The content of a big file from a position on, at most to the end of the chunk.
   *
   * @param writing tells one writing of the file from the next
   */
  static MemorySegment at(long position, long length, int writing) {
    long chunk = (position / CHUNK + 1000L * writing) * STRIDE % CHUNK;
    return RANDOM.asSlice(chunk + position % CHUNK, length);
  }

  static boolean isEqual(MemorySegment read, MemorySegment expected) {
    return read.mismatch(expected) == -1;
  }

  /** Whether each page begins as expected: costs next to nothing beside reading it. */
  static boolean hasPages(MemorySegment read, MemorySegment expected) {
    for (long at = 0; at < read.byteSize(); at += PAGE) {
      if (read.get(JAVA_LONG, at) != expected.get(JAVA_LONG, at)) {
        return false;
      }
    }
    return true;
  }
}
