package dev.hostshare.perf.workload;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * What is in a file: each page is a table of random words, each word XORed with a key that is made
 * of the file's seed and the page's number. So no page is like another one, of this file or of any
 * other, and every wrong byte is found. It costs as much as copying does.
 *
 * @param seed of the file; another one for each writing of it
 */
record Content(long seed) {
  static final int PAGE = 4096;
  private static final int WORDS = PAGE / Long.BYTES;
  private static final MemorySegment TABLE = table();

  private static MemorySegment table() {
    var random = new Random(1);
    MemorySegment table = Arena.global().allocate(PAGE, PAGE);
    for (int i = 0; i < WORDS; i++) {
      table.setAtIndex(JAVA_LONG, i, random.nextLong());
    }
    return table;
  }

  /** The content of one of many files, or of one writing of it. */
  Content of(long number) {
    return new Content(mix(seed + 0x9E3779B97F4A7C15L * (number + 1)));
  }

  /**
   * SplitMix64's finalizer: Steele, Lea, Flood, "Fast splittable pseudorandom number generators".
   */
  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private long key(long page) {
    return mix(seed ^ mix(page + 1));
  }

  /**
   * Makes the content.
   *
   * @param into a multiple of 8 bytes, within a page or from the beginning of one
   * @param position of its first byte in the file
   */
  void fill(MemorySegment into, long position) {
    for (long done = 0; done < into.byteSize(); ) {
      long at = position + done;
      int from = (int) (at % PAGE);
      long length = Math.min(PAGE - from, into.byteSize() - done);
      fillPage(into.asSlice(done, length), from, key(at / PAGE));
      done += length;
    }
  }

  private static void fillPage(MemorySegment into, int from, long key) {
    int length = (int) into.byteSize();
    for (int i = 0; i < length; i += Long.BYTES) {
      into.set(JAVA_LONG, i, TABLE.get(JAVA_LONG, from + i) ^ key);
    }
  }

  /**
   * Compares what was read.
   *
   * @param read a multiple of 8 bytes
   * @param position of its first byte in the file
   * @throws WrongDataException where the first wrong byte is
   */
  void check(MemorySegment read, long position, String path) throws WrongDataException {
    for (long done = 0; done < read.byteSize(); ) {
      long at = position + done;
      int from = (int) (at % PAGE);
      long length = Math.min(PAGE - from, read.byteSize() - done);
      if (difference(read.asSlice(done, length), from, key(at / PAGE)) != 0) {
        throw new WrongDataException(at + firstWrong(read.asSlice(done, length), at), path);
      }
      done += length;
    }
  }

  /** No branch in the loop, so that it takes several words at a time. */
  private static long difference(MemorySegment read, int from, long key) {
    int length = (int) read.byteSize();
    long difference = 0;
    for (int i = 0; i < length; i += Long.BYTES) {
      difference |= read.get(JAVA_LONG, i) ^ TABLE.get(JAVA_LONG, from + i) ^ key;
    }
    return difference;
  }

  private long firstWrong(MemorySegment read, long position) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment expected = arena.allocate(read.byteSize(), Long.BYTES);
      fill(expected, position);
      long wrong = read.mismatch(expected);
      return wrong < 0 ? 0 : wrong;
    }
  }

  /** As bytes on the heap, for what is written by other means. */
  byte[] bytes(int length) {
    int whole = (length + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment made = arena.allocate(whole, Long.BYTES);
      fill(made, 0);
      return made.asSlice(0, length).toArray(JAVA_BYTE);
    }
  }
}
