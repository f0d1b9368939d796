package dev.hostshare.test.posix;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.hostshare.proto.Linux;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** An open file of a {@link Task}, valid in that task only. */
public final class Fd implements AutoCloseable {
  private static final int F_DUPFD = 0;
  private static final int F_GETLK = 5;
  private static final int F_SETLK = 6;
  private static final int F_SETLKW = 7;
  private static final int F_OFD_SETLK = 37;
  private static final int CHUNK = 1 << 20;

  private final Task task;
  private final int number;
  private boolean closed;

  Fd(Task task, int number) {
    this.task = task;
    this.number = number;
  }

  public int number() {
    return number;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      task.call(Sys.CLOSE, number);
    }
  }

  /** Another descriptor of the same open file description. */
  public Fd dup() {
    return new Fd(task, (int) task.call(Sys.FCNTL, number, F_DUPFD, 3));
  }

  /** Writes at the file position; returns how many bytes went out. */
  public int write(byte[] bytes) {
    return (int) task.call(Sys.WRITE, number, Task.copy(bytes), (long) bytes.length);
  }

  public void writeFully(byte[] bytes) {
    for (int done = 0; done < bytes.length; ) {
      int chunk = Math.min(CHUNK, bytes.length - done);
      var slice = MemorySegment.ofArray(bytes).asSlice(done, chunk);
      done += write(slice.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  public void write(String text) {
    writeFully(text.getBytes(ISO_8859_1));
  }

  public int pwrite(byte[] bytes, long offset) {
    return (int) task.call(Sys.PWRITE64, number, Task.copy(bytes), (long) bytes.length, offset);
  }

  public int pwrite(String text, long offset) {
    return pwrite(text.getBytes(ISO_8859_1), offset);
  }

  /** Reads at most so many bytes at the file position; empty at the end. */
  public byte[] read(int size) {
    var buffer = Arena.ofAuto().allocate(Math.max(1, size));
    long length = task.call(Sys.READ, number, buffer, (long) size);
    return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
  }

  public byte[] readFully() {
    var all = new ByteArrayOutputStream();
    for (byte[] chunk = read(CHUNK); chunk.length > 0; chunk = read(CHUNK)) {
      all.writeBytes(chunk);
    }
    return all.toByteArray();
  }

  public byte[] pread(int size, long offset) {
    var buffer = Arena.ofAuto().allocate(Math.max(1, size));
    long length = task.call(Sys.PREAD64, number, buffer, (long) size, offset);
    return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
  }

  public String preadText(int size, long offset) {
    return new String(pread(size, offset), ISO_8859_1);
  }

  /** Reads into or writes from memory aligned as O_DIRECT demands. */
  public long transfer(Sys readOrWrite, MemorySegment aligned, long offset) {
    return task.call(readOrWrite, number, aligned, aligned.byteSize(), offset);
  }

  public long seek(long offset, int whence) {
    return task.call(Sys.LSEEK, number, offset, whence);
  }

  public void truncate(long size) {
    task.call(Sys.FTRUNCATE, number, size);
  }

  public void allocate(int mode, long offset, long length) {
    task.call(Sys.FALLOCATE, number, mode, offset, length);
  }

  /** copy_file_range(2) at the given offsets; returns how many bytes went. */
  public long copyTo(Fd target, long offset, long targetOffset, long length) {
    var offsets = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, 2);
    offsets.setAtIndex(ValueLayout.JAVA_LONG, 0, offset);
    offsets.setAtIndex(ValueLayout.JAVA_LONG, 1, targetOffset);
    return task.call(
        Sys.COPY_FILE_RANGE,
        number,
        offsets.asSlice(0, 8),
        target.number,
        offsets.asSlice(8, 8),
        length,
        0);
  }

  public void fsync() {
    task.call(Sys.FSYNC, number);
  }

  public void fdatasync() {
    task.call(Sys.FDATASYNC, number);
  }

  public void syncfs() {
    task.call(Sys.SYNCFS, number);
  }

  public Stat stat() {
    return task.fstat(number);
  }

  public void chmod(int mode) {
    task.call(Sys.FCHMOD, number, mode);
  }

  public void chown(int uid, int gid) {
    task.call(Sys.FCHOWN, number, uid, gid);
  }

  public void utimens(Timespec atime, Timespec mtime) {
    task.call(Sys.UTIMENSAT, number, 0L, times(atime, mtime), 0);
  }

  public void setxattr(String name, byte[] value) {
    task.call(Sys.FSETXATTR, number, name, Task.copy(value), (long) value.length, 0);
  }

  public byte[] getxattr(String name) {
    var buffer = Arena.ofAuto().allocate(Linux.XATTR_SIZE_MAX);
    long length = task.call(Sys.FGETXATTR, number, name, buffer, buffer.byteSize());
    return buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
  }

  /** One getdents64(2); empty at the end. */
  public List<Dirent> list(int bufferBytes) {
    var buffer = Arena.ofAuto().allocate(bufferBytes, 8);
    return Dirent.parse(buffer, task.call(Sys.GETDENTS64, number, buffer, buffer.byteSize()));
  }

  /** All entries from the current position on, dots included. */
  public List<Dirent> listAll() {
    var all = new ArrayList<Dirent>();
    for (var chunk = list(1 << 15); !chunk.isEmpty(); chunk = list(1 << 15)) {
      all.addAll(chunk);
    }
    return all;
  }

  public void lock(Flock lock) {
    task.call(Sys.FCNTL, number, F_SETLK, lock.toNative());
  }

  public CompletableFuture<Long> lockWaiting(Flock lock) {
    return task.begin(Sys.FCNTL, number, F_SETLKW, lock.toNative());
  }

  /** The first lock that stands in this one's way, or one of type F_UNLCK. */
  public Flock conflict(Flock lock) {
    var struct = lock.toNative();
    task.call(Sys.FCNTL, number, F_GETLK, struct);
    return Flock.of(struct);
  }

  /** A lock that belongs to the open file description. */
  public void lockDescription(Flock lock) {
    task.call(Sys.FCNTL, number, F_OFD_SETLK, lock.toNative());
  }

  /** {@code LOCK_SH} 1, {@code LOCK_EX} 2, {@code LOCK_UN} 8, {@code LOCK_NB} 4. */
  public void flock(int operation) {
    task.call(Sys.FLOCK, number, operation);
  }

  public CompletableFuture<Long> flockWaiting(int operation) {
    return task.begin(Sys.FLOCK, number, operation);
  }

  /** A shared mapping of the first {@code length} bytes, readable and, if asked, writable. */
  @SuppressWarnings("restricted") // the kernel vouches for the length
  public MemorySegment mapShared(long length, boolean writable) {
    int protection = writable ? 3 : 1;
    long address = task.call(Sys.MMAP, 0L, length, protection, 1, number, 0L);
    return MemorySegment.ofAddress(address).reinterpret(length);
  }

  /** msync(2) with MS_SYNC. */
  public void sync(MemorySegment mapping) {
    task.call(Sys.MSYNC, mapping, mapping.byteSize(), 4);
  }

  public void unmap(MemorySegment mapping) {
    task.call(Sys.MUNMAP, mapping, mapping.byteSize());
  }

  static MemorySegment times(Timespec atime, Timespec mtime) {
    var times = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, 4);
    times.setAtIndex(ValueLayout.JAVA_LONG, 0, atime.seconds());
    times.setAtIndex(ValueLayout.JAVA_LONG, 1, atime.nanos());
    times.setAtIndex(ValueLayout.JAVA_LONG, 2, mtime.seconds());
    times.setAtIndex(ValueLayout.JAVA_LONG, 3, mtime.nanos());
    return times;
  }
}
