package dev.hostshare.agent.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Entries;
import dev.hostshare.proto.v1.ServerFrame;
import io.grpc.KnownLength;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ReplyMarshallerTest {
  private static final int MIB = 1 << 20;

  private final ReplyMarshaller marshaller = new ReplyMarshaller();

  /** A message as gRPC hands it out. */
  private static final class Message extends InputStream implements KnownLength {
    private final ByteBuffer bytes;
    private final int missing;

    Message(ByteString message, int missing) {
      this.bytes = message.substring(0, message.size() - missing).asReadOnlyByteBuffer();
      this.missing = missing;
    }

    @Override
    public int read() {
      return bytes.hasRemaining() ? bytes.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] to, int offset, int length) {
      if (length > 0 && !bytes.hasRemaining()) {
        return -1;
      }
      int read = Math.min(length, bytes.remaining());
      bytes.get(to, offset, read);
      return read;
    }

    @Override
    public int available() {
      return bytes.remaining() + missing;
    }
  }

  private ServerFrame parse(ServerFrame frame) {
    return marshaller.parse(new Message(frame.toByteString(), 0));
  }

  private static ServerFrame read(long seq, int size) {
    byte[] data = new byte[size];
    new Random(seq).nextBytes(data);
    return ServerFrame.newBuilder().setSeq(seq).setData(ByteString.copyFrom(data)).build();
  }

  /** The array is used again after {@code done}, and not before. */
  @Test
  void largeDataIsValidUntilItIsDone() {
    for (int size : new int[] {100_000, MIB - 1, MIB, MIB + 1, 3 * MIB}) {
      for (long seq : new long[] {1, 300, Long.MAX_VALUE}) {
        ServerFrame frame = read(seq, size);
        ServerFrame parsed = parse(frame);
        assertEquals(frame, parsed);
        var other = new ReplyMarshaller();
        other.parse(new Message(read(seq + 1, size).toByteString(), 0));
        assertEquals(frame, parsed);
        other.done();
        marshaller.done();
      }
    }
    ServerFrame first = parse(read(1, MIB));
    marshaller.done();
    ServerFrame second = parse(read(2, MIB));
    assertEquals(second.getData(), first.getData(), "a new array for each");
  }

  /** Its names are kept longer than the next frame. */
  @Test
  void whatElseIsLargeIsOnTheHeap() {
    var entries = Entries.newBuilder();
    for (int i = 0; i < 10_000; i++) {
      entries.addEntries(DirEntry.newBuilder().setName(ByteString.copyFromUtf8("name" + i)));
    }
    ServerFrame frame = ServerFrame.newBuilder().setSeq(7).setEntries(entries).build();
    ServerFrame parsed = parse(frame);
    marshaller.done();
    parse(read(8, MIB));
    assertEquals(frame, parsed);
  }

  @Test
  void smallDataHasAnArrayOfItsOwn() {
    ServerFrame frame = read(1, 4096);
    ServerFrame parsed = parse(frame);
    marshaller.done();
    parse(read(2, 4096));
    assertEquals(frame, parsed);
  }

  /** Fields may come in any order. */
  @Test
  void dataBeforeTheNumberIsReadAsWell() {
    ServerFrame data = read(0, MIB);
    ServerFrame number = ServerFrame.newBuilder().setSeq(9).build();
    var message = new Message(data.toByteString().concat(number.toByteString()), 0);
    assertEquals(data.toBuilder().setSeq(9).build(), marshaller.parse(message));
    message = new Message(read(9, MIB).toByteString().concat(number.toByteString()), 0);
    assertEquals(read(9, MIB), marshaller.parse(message));
  }

  @Test
  void aMessageThatIsCutOffIsAnError() {
    var message = new Message(read(1, MIB).toByteString(), 1);
    assertThrows(StatusRuntimeException.class, () -> marshaller.parse(message));
  }
}
