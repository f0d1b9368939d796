package dev.hostshare.agent.jnr;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.DirectorySink;
import dev.hostshare.agent.fs.NodeEntry;
import java.nio.ByteBuffer;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.Struct;
import ru.serce.jnrfuse.FuseFillDir;
import ru.serce.jnrfuse.struct.FileStat;

/** Passes entries to libfuse's filler until that has no room left. */
final class FillSink implements DirectorySink {
  private static final Runtime RUNTIME = Runtime.getSystemRuntime();
  private static final int STAT_BYTES = Struct.size(new FileStat(RUNTIME));

  private final FuseFillDir filler;
  private final Pointer buffer;
  private final Pointer memory = Memory.allocateDirect(RUNTIME, STAT_BYTES, true);
  private final FileStat stat = FileStat.of(memory);
  private long next;
  private boolean full;
  private boolean empty = true;

  FillSink(FuseFillDir filler, Pointer buffer, long offset) {
    this.filler = filler;
    this.buffer = buffer;
    this.next = offset;
  }

  @Override
  public boolean fits(int nameBytes) {
    return !full;
  }

  @Override
  public boolean add(long offset, ByteString name, long ino, int type, NodeEntry entry) {
    // libfuse takes d_ino and d_type from here, and nothing else.
    stat.st_ino.set(ino);
    stat.st_mode.set(type);
    ByteBuffer bytes = ByteBuffer.allocate(name.size() + 1);
    name.copyTo(bytes);
    if (filler.apply(buffer, bytes.rewind(), memory, offset) != 0) {
      full = true;
      return false;
    }
    next = offset;
    empty = false;
    return true;
  }

  /** Where to read on. */
  long next() {
    return next;
  }

  boolean isFull() {
    return full;
  }

  /** Whether nothing was added: the end, unless it {@linkplain #isFull is full}. */
  boolean isEmpty() {
    return empty;
  }
}
