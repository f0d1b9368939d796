package dev.hostshare.fileserver.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.hostshare.proto.v1.Caller;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Forget;
import dev.hostshare.proto.v1.OpendirAhead;
import dev.hostshare.proto.v1.Setxattr;
import dev.hostshare.proto.v1.Walk;
import dev.hostshare.proto.v1.Write;
import dev.hostshare.proto.v1.WritePiece;
import java.io.ByteArrayInputStream;
import java.util.Collections;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RequestMarshallerTest {
  private final RequestMarshaller marshaller = new RequestMarshaller();

  private ClientFrame parse(byte[] bytes) {
    return marshaller.parse(new ByteArrayInputStream(bytes));
  }

  private ClientFrame roundTrip(ClientFrame frame) {
    return marshaller.parse(marshaller.stream(frame));
  }

  private void refused(ClientFrame.Builder frame) {
    assertSame(RequestMarshaller.REFUSED, parse(frame.build().toByteArray()));
  }

  private static Forget forgets(int count) {
    return Forget.newBuilder()
        .addAllNodes(
            LongStream.rangeClosed(1, count)
                .mapToObj(n -> Forget.One.newBuilder().setNode(n).setCount(1).build())
                .toList())
        .build();
  }

  private static Write writes(int pieces) {
    return Write.newBuilder()
        .setData(ByteString.copyFromUtf8("x"))
        .addAllMore(
            Collections.nCopies(
                pieces, WritePiece.newBuilder().setData(ByteString.copyFromUtf8("y")).build()))
        .build();
  }

  @Test
  void whatAgentsSendComesWhole() {
    var groups = LongStream.range(0, 1 << 16).mapToObj(g -> 0x7fffffff - (int) g).toList();
    for (ClientFrame frame :
        new ClientFrame[] {
          ClientFrame.getDefaultInstance(),
          ClientFrame.newBuilder().setForget(forgets(8 << 10)).build(),
          ClientFrame.newBuilder().setForget(forgets(RequestMarshaller.MAX_FORGETS)).build(),
          ClientFrame.newBuilder()
              .setSeq(1)
              .setCaller(Caller.newBuilder().addAllGroups(groups))
              .addReleased(1L << 40)
              .addAfter(7)
              .setWrite(writes(1_000))
              .build(),
          ClientFrame.newBuilder()
              .setWrite(Write.newBuilder().setData(ByteString.copyFrom(new byte[1 << 20])))
              .build(),
          ClientFrame.newBuilder()
              .setSetxattr(Setxattr.newBuilder().setValue(ByteString.copyFrom(new byte[1 << 16])))
              .build(),
          ClientFrame.newBuilder()
              .setWalk(
                  Walk.newBuilder()
                      .addAllNames(Collections.nCopies(64, ByteString.copyFrom(new byte[255]))))
              .build()
        }) {
      ClientFrame read = roundTrip(frame);
      assertNotSame(RequestMarshaller.REFUSED, read);
      assertEquals(frame, read);
    }
  }

  @Test
  void whatGrowsInMemoryIsNotRead() {
    refused(ClientFrame.newBuilder().setForget(forgets(RequestMarshaller.MAX_FORGETS + 1)));
    refused(
        ClientFrame.newBuilder()
            .setForget(
                Forget.newBuilder()
                    .addAllNodes(Collections.nCopies(500_000, Forget.One.getDefaultInstance()))));
    refused(ClientFrame.newBuilder().setWrite(writes(100_000)));
    refused(
        ClientFrame.newBuilder()
            .setOpendirAhead(
                OpendirAhead.newBuilder()
                    .addAllNodes(LongStream.range(0, 100_000).map(n -> n % 100).boxed().toList())));
    refused(ClientFrame.newBuilder().addAllReleased(Collections.nCopies(100_000, 1L)));
    refused(ClientFrame.newBuilder().addAllAfter(Collections.nCopies(100_000, 1L)));
    refused(
        ClientFrame.newBuilder()
            .setCaller(Caller.newBuilder().addAllGroups(Collections.nCopies(500_000, 1))));
    refused(
        ClientFrame.newBuilder()
            .setWalk(
                Walk.newBuilder().addAllNames(Collections.nCopies(100_000, ByteString.EMPTY))));
  }

  /** The last one counts, and the others are not kept for its sake. */
  @Test
  void valuesThatOccurAgain() {
    var first = Setxattr.newBuilder().setValue(ByteString.copyFrom(new byte[1 << 20]));
    var second = Setxattr.newBuilder().setValue(ByteString.copyFromUtf8("last"));
    ByteString both =
        ClientFrame.newBuilder()
            .setSetxattr(first)
            .build()
            .toByteString()
            .concat(ClientFrame.newBuilder().setSetxattr(second).build().toByteString());
    assertEquals("last", parse(both.toByteArray()).getSetxattr().getValue().toStringUtf8());
  }

  /** Parts of one message may come in several fields, which are merged. */
  @Test
  void partsOfSeveralFieldsAddUp() {
    ByteString half = ClientFrame.newBuilder().setForget(forgets(9 << 10)).build().toByteString();
    assertNotSame(RequestMarshaller.REFUSED, parse(half.toByteArray()));
    assertSame(RequestMarshaller.REFUSED, parse(half.concat(half).toByteArray()));
  }

  @Test
  void unknownFieldsAreDropped() {
    var unknown = UnknownFieldSet.newBuilder();
    for (int i = 1_000; i < 2_000; i++) {
      unknown.addField(i, UnknownFieldSet.Field.newBuilder().addVarint(i).build());
    }
    ClientFrame read =
        parse(
            ClientFrame.newBuilder()
                .setSeq(4)
                .setUnknownFields(unknown.build())
                .build()
                .toByteArray());
    assertEquals(4, read.getSeq());
    assertTrue(read.getUnknownFields().asMap().isEmpty());
  }

  @Test
  void whatIsNoFrameIsRefused() {
    for (int length : new int[] {3, 100_000}) {
      byte[] garbage = new byte[length];
      java.util.Arrays.fill(garbage, (byte) 0xff);
      assertSame(RequestMarshaller.REFUSED, parse(garbage));
    }
    byte[] cut = ClientFrame.newBuilder().setForget(forgets(2_000)).build().toByteArray();
    assertSame(RequestMarshaller.REFUSED, parse(java.util.Arrays.copyOf(cut, cut.length - 1)));
  }
}
