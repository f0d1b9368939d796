package dev.hostshare.agent.kernel;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.proto.Errno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What follows the header of a request. Lies in a buffer that others use as soon as the request has
 * begun, so whatever is kept is copied.
 */
final class RequestBody {
  private final MemorySegment segment;

  RequestBody(MemorySegment segment) {
    this.segment = segment;
  }

  int u16(int offset) {
    return Short.toUnsignedInt(segment.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset));
  }

  int u32(int offset) {
    return segment.get(ValueLayout.JAVA_INT_UNALIGNED, offset);
  }

  long u64(int offset) {
    return segment.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
  }

  int size() {
    return (int) segment.byteSize();
  }

  /**
   * The bytes from {@code offset} up to the next NUL.
   *
   * @throws ErrnoException EINVAL if there is none
   */
  ByteString name(int offset) throws ErrnoException {
    int end = offset;
    while (end < size() && segment.get(ValueLayout.JAVA_BYTE, end) != 0) {
      end++;
    }
    if (end >= size()) {
      throw new ErrnoException(Errno.EINVAL);
    }
    return bytes(offset, end - offset);
  }

  /** A copy of {@code length} bytes. */
  ByteString bytes(int offset, int length) {
    return ByteString.copyFrom(segment.asSlice(offset, length).asByteBuffer());
  }
}
