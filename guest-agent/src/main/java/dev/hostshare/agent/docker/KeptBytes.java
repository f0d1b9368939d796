package dev.hostshare.agent.docker;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes of a question, as many as there is room for; the rest is left out. Used by one thread
 * at a time.
 */
final class KeptBytes {
  /** 2 MiB: a body of 1 MiB as engines pass it on, in base64, and room around it. */
  static final int MOST = 2 << 20;

  /** Room that every question has: its head. */
  private static final int HEAD = 16 << 10;

  private final AtomicLong budget;
  private byte[] bytes = new byte[1024];
  private int length;
  private int reserved;
  private boolean whole = true;

  /** {@code budget}: bytes that all questions together may still keep beyond their heads. */
  KeptBytes(AtomicLong budget) {
    this.budget = budget;
  }

  void add(ByteBuf more) {
    int wanted = length + more.readableBytes();
    if (whole && wanted > Math.max(HEAD, reserved)) {
      whole = wanted <= MOST && reserve(Math.clamp(2L * wanted, wanted, MOST));
    }
    int room = whole ? more.readableBytes() : Math.max(0, Math.max(HEAD, reserved) - length);
    int added = Math.min(room, more.readableBytes());
    if (length + added > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(length + added, Math.min(2 * bytes.length, MOST)));
    }
    more.getBytes(more.readerIndex(), bytes, length, added);
    length += added;
  }

  private boolean reserve(int size) {
    int more = size - reserved;
    if (budget.addAndGet(-more) < 0) {
      budget.addAndGet(more);
      return false;
    }
    reserved = size;
    return true;
  }

  /** Whether nothing was left out. */
  boolean isWhole() {
    return whole;
  }

  InputStream read() {
    return new ByteArrayInputStream(bytes, 0, length);
  }

  /** Gives the room back; the bytes are gone. */
  void release() {
    budget.addAndGet(reserved);
    reserved = 0;
    bytes = new byte[0];
    length = 0;
  }
}
