package dev.hostshare.agent.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.CachePolicy;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.NodeAttr;
import dev.hostshare.agent.fs.NodeEntry;
import dev.hostshare.agent.fs.OpenedFile;
import dev.hostshare.agent.kernel.FuseAbi.InitFlags;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.OwnerPolicy;
import dev.hostshare.proto.v1.Share;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** The layouts, against the structures of include/uapi/linux/fuse.h written out field by field. */
final class FuseAbiTest {
  private static final Attr ATTR =
      Attr.newBuilder()
          .setIno(0x1122334455667788L)
          .setMode(Linux.S_IFCHR | 0640)
          .setNlink(3)
          .setUid(-2)
          .setGid(7)
          .setRdev(Linux.makedev(259, 70000))
          .setSize(1L << 40)
          .setBlocks(12)
          .setBlksize(4096)
          .setAtime(-1)
          .setAtimeNsec(999_999_999)
          .setMtime(2)
          .setMtimeNsec(3)
          .setCtime(4)
          .setCtimeNsec(5)
          .setBtime(6)
          .setBtimeNsec(7)
          .build();

  @Test
  void encodesEntryOut() {
    ByteBuffer expected =
        buffer(128)
            .putLong(42) // nodeid: ours and one more, see HiddenRoot
            .putLong(0) // generation
            .putLong(1) // entry_valid
            .putLong(2) // attr_valid
            .putInt(500_000_000) // entry_valid_nsec
            .putInt(0); // attr_valid_nsec
    attr(expected);
    assertArrayEquals(
        bytes(expected),
        encode(FuseEncoder.ENTRY, new NodeEntry(41, ATTR, 1_500_000_000L, 2_000_000_000L)));
  }

  @Test
  void encodesAttrOut() {
    ByteBuffer expected = buffer(104).putLong(0).putInt(1).putInt(0);
    attr(expected);
    assertArrayEquals(bytes(expected), encode(FuseEncoder.ATTR, new NodeAttr(ATTR, 1)));
  }

  private static void attr(ByteBuffer to) {
    to.putLong(ATTR.getIno()).putLong(ATTR.getSize()).putLong(ATTR.getBlocks());
    to.putLong(-1).putLong(2).putLong(4).putInt(999_999_999).putInt(3).putInt(5);
    to.putInt(ATTR.getMode()).putInt(3).putInt(-2).putInt(7);
    // new_encode_dev: minor's low byte, major's 12 bits, minor's upper bits
    to.putInt((70000 & 0xff) | 259 << 8 | (70000 & ~0xff) << 12).putInt(4096).putInt(0);
  }

  @Test
  void encodesStatxOut() {
    ByteBuffer expected = buffer(288).putLong(0).putInt(0).putInt(0).putLong(0).putLong(0);
    expected.putInt(0xfff).putInt(4096).putLong(0).putInt(3).putInt(-2).putInt(7);
    expected.putShort((short) ATTR.getMode()).putShort((short) 0);
    expected.putLong(ATTR.getIno()).putLong(ATTR.getSize()).putLong(12).putLong(0);
    for (int[] time : new int[][] {{-1, 999_999_999}, {6, 7}, {4, 5}, {2, 3}}) {
      expected.putLong(time[0]).putInt(time[1]).putInt(0);
    }
    expected.putInt(259).putInt(70000);
    assertArrayEquals(bytes(expected), encode(FuseEncoder.STATX, new NodeAttr(ATTR, 0)));
  }

  @Test
  void encodesCreateAsEntryAndOpen() {
    byte[] encoded =
        encode(FuseEncoder.CREATE, new OpenedFile(9, new NodeEntry(41, ATTR, 0, 0), true));
    assertEquals(144, encoded.length);
    ByteBuffer read = ByteBuffer.wrap(encoded).order(ByteOrder.nativeOrder());
    assertEquals(42, read.getLong(0));
    assertEquals(9, read.getLong(128));
    assertEquals(FuseAbi.FOPEN_KEEP_CACHE, read.getInt(136));
  }

  @Test
  void packsDirectoryEntriesPaddedToEightBytes() {
    // dirent: 24 bytes and the name; direntplus: 128 bytes before it.
    var plain = new FuseDirectory(64, false);
    assertTrue(plain.fits(8));
    plain.add(77, ByteString.copyFromUtf8("nine char"), 5, Linux.S_IFDIR, null);
    assertEquals(40, plain.size());
    assertFalse(plain.fits(1), "24 bytes are left");

    MemorySegment out = MemorySegment.ofArray(new byte[64]);
    plain.copyTo(out);
    assertEquals(5, out.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
    assertEquals(77, out.get(ValueLayout.JAVA_LONG_UNALIGNED, 8));
    assertEquals(9, out.get(ValueLayout.JAVA_INT_UNALIGNED, 16));
    assertEquals(4, out.get(ValueLayout.JAVA_INT_UNALIGNED, 20), "DT_DIR");

    var plus = new FuseDirectory(1024, true);
    plus.add(1, ByteString.copyFromUtf8("a"), 5, 0, new NodeEntry(42, ATTR, 0, 0));
    assertEquals(160, plus.size());
  }

  @Test
  void readsNamesUpToTheirEnd() throws Exception {
    var body = new RequestBody(MemorySegment.ofArray(new byte[] {'a', 'b', 0, 'c', 0}));
    assertEquals("ab", body.name(0).toStringUtf8());
    assertEquals("c", body.name(3).toStringUtf8());
    var unended = new RequestBody(MemorySegment.ofArray(new byte[] {'a'}));
    assertThrows(ErrnoException.class, () -> unended.name(0));
  }

  @Test
  void agreesWithTheKernelsOfOurTimes() throws Exception {
    // 6.1 has no flags above bit 35; 6.18 offers nearly everything.
    long all = -1L;
    FuseInit old =
        FuseInit.negotiate(offer(38, all & ((1L << 36) - 1)), policy(OwnerPolicy.HOST), 1 << 20);
    assertEquals(38, old.minor());
    assertFalse(old.has(InitFlags.ALLOW_IDMAP));
    assertTrue(old.has(InitFlags.HANDLE_KILLPRIV_V2));

    FuseInit present = FuseInit.negotiate(offer(45, all), policy(OwnerPolicy.FIXED), 1 << 20);
    assertTrue(present.has(InitFlags.ALLOW_IDMAP));
    FuseInit future = FuseInit.negotiate(offer(99, all), policy(OwnerPolicy.HOST), 1 << 20);
    assertEquals(FuseAbi.MINOR, future.minor());

    byte[] reply = encode(FuseInit.ENCODER, present);
    ByteBuffer read = ByteBuffer.wrap(reply).order(ByteOrder.nativeOrder());
    assertEquals(64, reply.length);
    assertEquals(1 << 20, read.getInt(20), "max_write");
    assertEquals(256, read.getShort(28), "max_pages");
    long high = InitFlags.ALLOW_IDMAP | InitFlags.HAS_EXPIRE_ONLY;
    assertEquals((int) (high >>> 32), read.getInt(32), "flags2");
  }

  @Test
  void leavesPermissionsToTheServerWhereTheyDependOnWhoAsks() throws Exception {
    FuseInit init = FuseInit.negotiate(offer(45, -1L), policy(OwnerPolicy.CALLER), 1 << 20);
    assertFalse(init.has(InitFlags.POSIX_ACL), "it turns default_permissions on");
    assertFalse(init.has(InitFlags.ALLOW_IDMAP), "it needs default_permissions");
    assertFalse(init.has(InitFlags.DO_READDIRPLUS), "nothing may be kept");
  }

  @Test
  void refusesAKernelThatIsTooOld() {
    var e =
        assertThrows(
            IOException.class,
            () -> FuseInit.negotiate(offer(26, -1L), policy(OwnerPolicy.HOST), 1 << 20));
    assertTrue(e.getMessage().contains("--driver jnr"), e.getMessage());
  }

  private static CachePolicy policy(OwnerPolicy owner) {
    return CachePolicy.of(Share.newBuilder().setOwner(owner).build(), false);
  }

  private static RequestBody offer(int minor, long flags) {
    ByteBuffer in =
        buffer(64)
            .putInt(7)
            .putInt(minor)
            .putInt(1 << 17)
            .putInt((int) flags)
            .putInt((int) (flags >>> 32));
    return new RequestBody(MemorySegment.ofArray(bytes(in)));
  }

  private static byte[] bytes(ByteBuffer buffer) {
    var bytes = new byte[buffer.capacity()];
    buffer.get(0, bytes);
    return bytes;
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
  }

  private static <T> byte[] encode(FuseEncoder<T> encoder, T value) {
    var bytes = new byte[encoder.size(value)];
    encoder.encode(value, MemorySegment.ofArray(bytes));
    return bytes;
  }
}
