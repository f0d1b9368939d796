package dev.hostshare.fileserver.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Open;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.ServerFrame;
import org.junit.jupiter.api.Test;

class KeptRepliesTest {
  private final KeptReplies replies = new KeptReplies();

  private void open(long seq, ByteString content) {
    replies.add(
        ClientFrame.newBuilder().setSeq(seq).setOpen(Open.getDefaultInstance()).build(),
        ServerFrame.newBuilder()
            .setOpened(Opened.newBuilder().setHandle(seq).setContent(content))
            .build());
  }

  /** A client that never says what it has could fill the memory with it. */
  @Test
  void anOpensIsKeptWithoutTheFilesContent() {
    open(7, ByteString.copyFrom(new byte[1 << 20]));
    assertEquals(7, replies.get(7).getOpened().getHandle());
    assertTrue(replies.get(7).getOpened().getContent().isEmpty());
  }

  @Test
  void isKeptUntilTheClientHasItOrThereAreTooMany() {
    for (int seq = 1; seq <= KeptReplies.MOST + 1; seq++) {
      open(seq, ByteString.EMPTY);
    }
    assertNull(replies.get(1));
    assertEquals(2, replies.get(2).getOpened().getHandle());
    replies.acked(3);
    assertNull(replies.get(3));
    assertEquals(4, replies.get(4).getOpened().getHandle());
  }
}
