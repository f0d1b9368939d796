package dev.hostshare.fileserver.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.hostshare.proto.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A thread's native memory for the arguments of one system call at a time: names, structs, the
 * captured errno. Kept per thread, because an allocation costs more than the calls themselves.
 */
final class Scratch {
  /** PATH_MAX: a symlink's target, the longest name we pass, with its NUL. */
  static final int NAME_BYTES = 4096;

  /** 64 KiB: some 1,500 entries of 20-byte names for each getdents64(2). */
  static final int DENTS_BYTES = 64 * 1024;

  private static final ThreadLocal<Scratch> CURRENT = ThreadLocal.withInitial(Scratch::new);

  final MemorySegment callState;
  final MemorySegment struct;
  final MemorySegment struct2;
  private final MemorySegment first;
  private final MemorySegment second;
  private final Arena arena = Arena.ofAuto();
  private MemorySegment dents;

  private Scratch() {
    callState = arena.allocate(Libc.CALL_STATE);
    struct = arena.allocate(512, 8);
    struct2 = arena.allocate(64, 8);
    first = arena.allocate(NAME_BYTES);
    second = arena.allocate(NAME_BYTES);
  }

  static Scratch get() {
    return CURRENT.get();
  }

  MemorySegment name(byte[] name) throws ErrnoException {
    return string(first, name);
  }

  MemorySegment secondName(byte[] name) throws ErrnoException {
    return string(second, name);
  }

  MemorySegment nameBuffer() {
    return second;
  }

  MemorySegment dents() {
    if (dents == null) {
      dents = arena.allocate(DENTS_BYTES, 8);
    }
    return dents;
  }

  private static MemorySegment string(MemorySegment to, byte[] bytes) throws ErrnoException {
    if (bytes.length >= NAME_BYTES) {
      throw ErrnoException.of(Errno.ENAMETOOLONG);
    }
    MemorySegment.copy(bytes, 0, to, JAVA_BYTE, 0, bytes.length);
    to.set(JAVA_BYTE, bytes.length, (byte) 0);
    return to;
  }
}
