package dev.hostshare.perf.workload;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A tree's entries and the attributes of each, as {@code ls -lR} asks for them: a folder's listing,
 * then its entries one by one, then the folders in it. An operation is a folder with all its
 * entries; what is counted are entries.
 */
final class TreeWalk {
  /** What readdir(3) of glibc asks for at a time. */
  private static final int ENTRIES_BYTES = 32 << 10;

  // struct linux_dirent64, include/linux/dirent.h
  private static final int DIRENT_LENGTH = 16;
  private static final int DIRENT_NAME = 19;
  private static final int PATH_BYTES = 4096;

  /** Files have different sizes. */
  static final long ANY = -1;

  private final Path root;
  private final long fileSize;
  private long bytes;

  /**
   * @param fileSize that each file must have, or {@link #ANY}
   */
  TreeWalk(Path root, long fileSize) {
    this.root = root;
    this.fileSize = fileSize;
  }

  /** Of all files together, in bytes, after a run. */
  long bytes() {
    return bytes;
  }

  /** Answers how many entries there are, folders included. */
  long run(Stopwatch watch) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment entries = arena.allocate(ENTRIES_BYTES, 8);
      MemorySegment path = arena.allocate(PATH_BYTES);
      Deque<String> left = new ArrayDeque<>();
      left.add(root.toString());
      long seen = 0;
      while (!left.isEmpty()) {
        String folder = left.removeLast();
        path.setString(0, folder + "/");
        long begin = watch.begin();
        long inFolder = list(path, folder.getBytes(UTF_8).length, entries, folder, left);
        watch.end(begin, inFolder, 0);
        seen += inFolder;
      }
      return seen;
    }
  }

  private long list(
      MemorySegment path, int length, MemorySegment entries, String folder, Deque<String> left)
      throws IOException {
    long seen = 0;
    int fd = Calls.open(path, Calls.O_RDONLY, 0);
    try {
      for (long end = Calls.entries(fd, entries); end > 0; end = Calls.entries(fd, entries)) {
        int entryLength;
        for (long at = 0; at < end; at += entryLength) {
          entryLength = Short.toUnsignedInt(entries.get(JAVA_SHORT, at + DIRENT_LENGTH));
          if (isDots(entries, at + DIRENT_NAME)) {
            continue;
          }
          // The name, its NUL and padding.
          MemorySegment.copy(
              entries, at + DIRENT_NAME, path, length + 1, entryLength - DIRENT_NAME);
          long size = Calls.sizeOrFolder(path);
          if (size == Calls.FOLDER) {
            left.add(folder + "/" + entries.getString(at + DIRENT_NAME));
          } else if (fileSize != ANY && size != fileSize) {
            throw new WrongDataException("a size of " + size + ": " + path.getString(0));
          } else {
            bytes += size;
          }
          seen++;
        }
      }
    } finally {
      Calls.close(fd);
    }
    return seen;
  }

  private static boolean isDots(MemorySegment entries, long name) {
    if (entries.get(JAVA_BYTE, name) != '.') {
      return false;
    }
    byte second = entries.get(JAVA_BYTE, name + 1);
    return second == 0 || (second == '.' && entries.get(JAVA_BYTE, name + 2) == 0);
  }
}
