package dev.hostshare.agent.kernel;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.DirectorySink;
import dev.hostshare.agent.fs.NodeEntry;
import java.lang.foreign.MemorySegment;

/** Packs the entries of a READDIR or READDIRPLUS reply. */
final class FuseDirectory implements DirectorySink {

  /** What one reply carries at most; the kernel asks again. */
  private static final int MAX_BYTES = 128 << 10;

  /** d_type is the file type's bits of the mode, shifted: readdir(3), IFTODT. */
  private static final int TYPE_SHIFT = 12;

  private final MemorySegment out;
  private final boolean plus;
  private int used;

  /** {@code bytes}: how much the kernel can take. */
  FuseDirectory(int bytes, boolean plus) {
    this.out = MemorySegment.ofArray(new byte[Math.min(bytes, MAX_BYTES)]);
    this.plus = plus;
  }

  @Override
  public boolean fits(int nameBytes) {
    return used + size(nameBytes) <= out.byteSize();
  }

  private int size(int nameBytes) {
    return (plus ? FuseAbi.EntryOut.SIZE : 0) + FuseAbi.Dirent.size(nameBytes);
  }

  @Override
  public boolean add(long offset, ByteString name, long ino, int type, NodeEntry entry) {
    int at = used;
    if (plus) {
      // Without an inode the entry_out stays zero: node id 0 is "not known" to the kernel.
      if (entry != null) {
        FuseEncoder.entry(entry, out, at);
      }
      at += FuseAbi.EntryOut.SIZE;
    }
    FuseEncoder.u64(out, at + FuseAbi.Dirent.INO, ino);
    FuseEncoder.u64(out, at + FuseAbi.Dirent.OFF, offset);
    FuseEncoder.u32(out, at + FuseAbi.Dirent.NAMELEN, name.size());
    FuseEncoder.u32(out, at + FuseAbi.Dirent.TYPE, type >>> TYPE_SHIFT);
    name.copyTo(out.asSlice(at + FuseAbi.Dirent.NAME, name.size()).asByteBuffer());
    used += size(name.size());
    return true;
  }

  int size() {
    return used;
  }

  void copyTo(MemorySegment target) {
    MemorySegment.copy(out, 0, target, 0, used);
  }
}
