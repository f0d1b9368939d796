package dev.hostshare.agent.kernel;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.NodeAttr;
import dev.hostshare.agent.fs.NodeEntry;
import dev.hostshare.agent.fs.OpenedFile;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.Lock;
import dev.hostshare.proto.v1.Statvfs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Writes one kind of reply in the FUSE protocol's form.
 *
 * @param <T> what is written
 */
interface FuseEncoder<T> {

  /** Bytes that {@code value} takes. */
  int size(T value);

  /** Writes {@code value} to the beginning of {@code out}, which is zero there. */
  void encode(T value, MemorySegment out);

  /** Nothing follows the header. */
  FuseEncoder<Void> NOTHING = of(0, (value, out) -> {});

  FuseEncoder<NodeEntry> ENTRY = of(FuseAbi.EntryOut.SIZE, (value, out) -> entry(value, out, 0));

  FuseEncoder<NodeAttr> ATTR =
      of(
          FuseAbi.AttrOut.SIZE,
          (value, out) -> {
            u64(out, FuseAbi.AttrOut.ATTR_VALID, seconds(value.attrNanos()));
            u32(out, FuseAbi.AttrOut.ATTR_VALID_NSEC, nanos(value.attrNanos()));
            attr(value.attr(), out, FuseAbi.AttrOut.ATTR);
          });

  FuseEncoder<NodeAttr> STATX = of(FuseAbi.StatxOut.SIZE, FuseEncoder::statx);

  FuseEncoder<OpenedFile> OPEN = of(FuseAbi.OpenOut.SIZE, (value, out) -> open(value, out, 0));

  /** The kernel may keep the listing, until we drop the directory's pages. */
  FuseEncoder<OpenedFile> OPENDIR =
      of(
          FuseAbi.OpenOut.SIZE,
          (value, out) -> {
            open(value, out, 0);
            int flags = out.get(ValueLayout.JAVA_INT_UNALIGNED, FuseAbi.OpenOut.OPEN_FLAGS);
            u32(out, FuseAbi.OpenOut.OPEN_FLAGS, flags | FuseAbi.FOPEN_CACHE_DIR);
          });

  /** CREATE and TMPFILE: an entry_out and an open_out. */
  FuseEncoder<OpenedFile> CREATE =
      of(
          FuseAbi.EntryOut.SIZE + FuseAbi.OpenOut.SIZE,
          (value, out) -> {
            entry(value.entry(), out, 0);
            open(value, out, FuseAbi.EntryOut.SIZE);
          });

  /** write_out and getxattr_out. */
  FuseEncoder<Long> COUNT32 =
      of(FuseAbi.ONE_NUMBER_SIZE, (value, out) -> u32(out, 0, Math.toIntExact(value)));

  /** lseek_out and copy_file_range_out. */
  FuseEncoder<Long> COUNT64 = of(FuseAbi.ONE_NUMBER_SIZE, (value, out) -> u64(out, 0, value));

  FuseEncoder<Statvfs> STATFS =
      of(
          FuseAbi.StatfsOut.SIZE,
          (value, out) -> {
            u64(out, FuseAbi.StatfsOut.BLOCKS, value.getBlocks());
            u64(out, FuseAbi.StatfsOut.BFREE, value.getBfree());
            u64(out, FuseAbi.StatfsOut.BAVAIL, value.getBavail());
            u64(out, FuseAbi.StatfsOut.FILES, value.getFiles());
            u64(out, FuseAbi.StatfsOut.FFREE, value.getFfree());
            u32(out, FuseAbi.StatfsOut.BSIZE, value.getBsize());
            u32(out, FuseAbi.StatfsOut.NAMELEN, value.getNamelen());
            u32(out, FuseAbi.StatfsOut.FRSIZE, value.getFrsize());
          });

  FuseEncoder<Lock> LOCK =
      of(
          FuseAbi.LkOut.SIZE,
          (value, out) -> {
            u64(out, FuseAbi.LkOut.START, value.getStart());
            u64(out, FuseAbi.LkOut.END, value.getEnd());
            u32(out, FuseAbi.LkOut.TYPE, value.getType());
            u32(out, FuseAbi.LkOut.PID, value.getPid());
          });

  FuseEncoder<ByteString> BYTES =
      new FuseEncoder<>() {
        @Override
        public int size(ByteString value) {
          return value.size();
        }

        @Override
        public void encode(ByteString value, MemorySegment out) {
          value.copyTo(out.asByteBuffer());
        }
      };

  FuseEncoder<FuseDirectory> DIRECTORY =
      new FuseEncoder<>() {
        @Override
        public int size(FuseDirectory value) {
          return value.size();
        }

        @Override
        public void encode(FuseDirectory value, MemorySegment out) {
          value.copyTo(out);
        }
      };

  /** Writes a value of a size that is always the same. */
  interface Body<T> {
    void encode(T value, MemorySegment out);
  }

  static <T> FuseEncoder<T> of(int size, Body<T> body) {
    return new FuseEncoder<>() {
      @Override
      public int size(T value) {
        return size;
      }

      @Override
      public void encode(T value, MemorySegment out) {
        body.encode(value, out);
      }
    };
  }

  /** Writes an entry_out at {@code at}. */
  static void entry(NodeEntry entry, MemorySegment out, int at) {
    u64(out, at + FuseAbi.EntryOut.NODEID, HiddenRoot.toKernel(entry.id()));
    u64(out, at + FuseAbi.EntryOut.ENTRY_VALID, seconds(entry.entryNanos()));
    u64(out, at + FuseAbi.EntryOut.ATTR_VALID, seconds(entry.attrNanos()));
    u32(out, at + FuseAbi.EntryOut.ENTRY_VALID_NSEC, nanos(entry.entryNanos()));
    u32(out, at + FuseAbi.EntryOut.ATTR_VALID_NSEC, nanos(entry.attrNanos()));
    attr(entry.attr(), out, at + FuseAbi.EntryOut.ATTR);
  }

  private static void attr(Attr attr, MemorySegment out, int at) {
    u64(out, at + FuseAbi.Attr.INO, attr.getIno());
    u64(out, at + FuseAbi.Attr.SIZE, attr.getSize());
    u64(out, at + FuseAbi.Attr.BLOCKS, attr.getBlocks());
    u64(out, at + FuseAbi.Attr.ATIME, attr.getAtime());
    u64(out, at + FuseAbi.Attr.MTIME, attr.getMtime());
    u64(out, at + FuseAbi.Attr.CTIME, attr.getCtime());
    u32(out, at + FuseAbi.Attr.ATIMENSEC, attr.getAtimeNsec());
    u32(out, at + FuseAbi.Attr.MTIMENSEC, attr.getMtimeNsec());
    u32(out, at + FuseAbi.Attr.CTIMENSEC, attr.getCtimeNsec());
    u32(out, at + FuseAbi.Attr.MODE, attr.getMode());
    u32(out, at + FuseAbi.Attr.NLINK, attr.getNlink());
    u32(out, at + FuseAbi.Attr.UID, attr.getUid());
    u32(out, at + FuseAbi.Attr.GID, attr.getGid());
    // The kernel's 32-bit encoding (new_encode_dev) is the low half of makedev(3)'s.
    u32(out, at + FuseAbi.Attr.RDEV, (int) attr.getRdev());
    u32(out, at + FuseAbi.Attr.BLKSIZE, attr.getBlksize());
  }

  private static void statx(NodeAttr value, MemorySegment out) {
    Attr attr = value.attr();
    boolean birth = attr.getBtime() != 0 || attr.getBtimeNsec() != 0;
    u64(out, FuseAbi.StatxOut.ATTR_VALID, seconds(value.attrNanos()));
    u32(out, FuseAbi.StatxOut.ATTR_VALID_NSEC, nanos(value.attrNanos()));
    u32(out, FuseAbi.StatxOut.MASK, FuseAbi.STATX_BASIC_STATS | (birth ? FuseAbi.STATX_BTIME : 0));
    u32(out, FuseAbi.StatxOut.BLKSIZE, attr.getBlksize());
    u32(out, FuseAbi.StatxOut.NLINK, attr.getNlink());
    u32(out, FuseAbi.StatxOut.UID, attr.getUid());
    u32(out, FuseAbi.StatxOut.GID, attr.getGid());
    out.set(ValueLayout.JAVA_SHORT_UNALIGNED, FuseAbi.StatxOut.MODE, (short) attr.getMode());
    u64(out, FuseAbi.StatxOut.INO, attr.getIno());
    u64(out, FuseAbi.StatxOut.FILE_SIZE, attr.getSize());
    u64(out, FuseAbi.StatxOut.BLOCKS, attr.getBlocks());
    time(out, FuseAbi.StatxOut.ATIME, attr.getAtime(), attr.getAtimeNsec());
    time(out, FuseAbi.StatxOut.BTIME, attr.getBtime(), attr.getBtimeNsec());
    time(out, FuseAbi.StatxOut.CTIME, attr.getCtime(), attr.getCtimeNsec());
    time(out, FuseAbi.StatxOut.MTIME, attr.getMtime(), attr.getMtimeNsec());
    long rdev = attr.getRdev();
    u32(out, FuseAbi.StatxOut.RDEV_MAJOR, (int) ((rdev >>> 8 & 0xfff) | (rdev >>> 32 & ~0xfffL)));
    u32(out, FuseAbi.StatxOut.RDEV_MINOR, (int) ((rdev & 0xff) | (rdev >>> 12 & ~0xffL)));
  }

  private static void time(MemorySegment out, int at, long seconds, int nanos) {
    u64(out, at, seconds);
    u32(out, at + 8, nanos);
  }

  private static void open(OpenedFile opened, MemorySegment out, int at) {
    u64(out, at + FuseAbi.OpenOut.FH, opened.handle());
    u32(out, at + FuseAbi.OpenOut.OPEN_FLAGS, opened.keepCache() ? FuseAbi.FOPEN_KEEP_CACHE : 0);
  }

  static void u32(MemorySegment out, int at, int value) {
    out.set(ValueLayout.JAVA_INT_UNALIGNED, at, value);
  }

  static void u64(MemorySegment out, int at, long value) {
    out.set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
  }

  private static long seconds(long nanos) {
    return nanos / 1_000_000_000;
  }

  private static int nanos(long nanos) {
    return (int) (nanos % 1_000_000_000);
  }
}
