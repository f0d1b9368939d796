package dev.hostshare.agent.kernel;

import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The open /dev/fuse of a mount. Any thread may answer a request. */
final class FuseDevice implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(FuseDevice.class);

  /** Header and the largest reply that is not data. */
  private static final int SMALL = 1 << 10;

  private final int fd;
  private final LargeBuffers large;

  /** One per thread to build small replies in. */
  private final ThreadLocal<MemorySegment> small =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(SMALL));

  /** Keeps a late reply from a descriptor that was closed, and may be another file's by then. */
  private final ReentrantReadWriteLock open = new ReentrantReadWriteLock();

  /** Guarded by {@link #open}. */
  private boolean closed;

  /** {@code large}: for replies that are not small. */
  FuseDevice(int fd, LargeBuffers large) {
    this.fd = fd;
    this.large = large;
  }

  int fd() {
    return fd;
  }

  /** From now on {@link #read} returns EAGAIN where it would wait. */
  void neverWait() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      int result = Libc.ioctl(fd, Libc.FIONBIO, arena.allocateFrom(ValueLayout.JAVA_INT, 1));
      if (result < 0) {
        throw new IOException("cannot set up /dev/fuse: " + Errno.name(-result));
      }
    }
  }

  /**
   * Waits for a request, unless told {@link #neverWait never to}, and returns its length, or a
   * negative errno: ENODEV after an unmount.
   */
  long read(MemorySegment buffer) {
    return Libc.read(fd, buffer);
  }

  /** Answers a request with {@code value}. */
  <T> void reply(long unique, FuseEncoder<T> encoder, T value) {
    int bodySize = encoder.size(value);
    MemorySegment buffer = take(FuseAbi.OutHeader.SIZE + bodySize);
    try {
      buffer.asSlice(0, FuseAbi.OutHeader.SIZE + Math.min(bodySize, SMALL)).fill((byte) 0);
      encoder.encode(value, buffer.asSlice(FuseAbi.OutHeader.SIZE, bodySize));
      send(buffer, FuseAbi.OutHeader.SIZE + bodySize, 0, unique);
    } finally {
      giveBack(buffer);
    }
  }

  /** Answers a request with a positive errno. */
  void error(long unique, int errno) {
    MemorySegment buffer = take(FuseAbi.OutHeader.SIZE);
    try {
      send(buffer, FuseAbi.OutHeader.SIZE, -errno, unique);
    } finally {
      giveBack(buffer);
    }
  }

  /**
   * Sends a notification, whose body is already in {@code buffer} after the header.
   *
   * @return 0 or a negative errno; ENOENT if the kernel does not have what it is about
   */
  long notify(int code, MemorySegment buffer, int length) {
    header(buffer, length, code, 0);
    return write(buffer, length);
  }

  private void send(MemorySegment buffer, int length, int error, long unique) {
    header(buffer, length, error, unique);
    long n = write(buffer, length);
    // ENOENT: the request was aborted meanwhile. ENODEV, EPERM: unmounted meanwhile.
    if (n < 0 && n != -Errno.ENOENT && n != -Errno.ENODEV && n != -Errno.EPERM) {
      log.error("the kernel refuses a reply of {} bytes: {}", length, Errno.name((int) -n));
    }
  }

  private long write(MemorySegment buffer, int length) {
    open.readLock().lock();
    try {
      return closed ? -Errno.ENODEV : Libc.write(fd, buffer, length);
    } finally {
      open.readLock().unlock();
    }
  }

  private static void header(MemorySegment buffer, int length, int error, long unique) {
    FuseEncoder.u32(buffer, FuseAbi.OutHeader.LEN, length);
    FuseEncoder.u32(buffer, FuseAbi.OutHeader.ERROR, error);
    FuseEncoder.u64(buffer, FuseAbi.OutHeader.UNIQUE, unique);
  }

  @Override
  public void close() {
    open.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        Libc.close(fd);
      }
    } finally {
      open.writeLock().unlock();
    }
  }

  private MemorySegment take(int bytes) {
    return bytes <= SMALL ? small.get() : large.take();
  }

  private void giveBack(MemorySegment buffer) {
    if (buffer.byteSize() > SMALL) {
      large.giveBack(buffer);
    }
  }
}
