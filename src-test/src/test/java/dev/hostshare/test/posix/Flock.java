package dev.hostshare.test.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * {@code struct flock} of fcntl(2), from the start of the file.
 *
 * @param type {@code F_RDLCK}, {@code F_WRLCK} or {@code F_UNLCK}
 * @param length 0: to the end of the file, however it grows
 * @param pid answered by F_GETLK; -1 for an open-file-description lock
 */
public record Flock(int type, long start, long length, int pid) {
  public Flock(int type, long start, long length) {
    this(type, start, length, 0);
  }

  MemorySegment toNative() {
    var struct = Arena.ofAuto().allocate(32, 8);
    struct.set(JAVA_SHORT, 0, (short) type);
    struct.set(JAVA_LONG, 8, start);
    struct.set(JAVA_LONG, 16, length);
    return struct;
  }

  static Flock of(MemorySegment struct) {
    return new Flock(
        struct.get(JAVA_SHORT, 0),
        struct.get(JAVA_LONG, 8),
        struct.get(JAVA_LONG, 16),
        struct.get(JAVA_INT, 24));
  }
}
