package dev.hostshare.fileserver.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Getattr;
import dev.hostshare.proto.v1.Read;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Write;
import io.grpc.stub.ServerCallStreamObserver;
import org.junit.jupiter.api.Test;

class ConnectionTest {
  private static final ClientFrame STAT =
      ClientFrame.newBuilder().setGetattr(Getattr.getDefaultInstance()).build();

  private final Stream stream = new Stream();
  private long most = 3 << 20;
  private final Intake intake = new Intake();
  private final Connection connection = new Connection(stream, "test", () -> most);

  /** Stands for gRPC's side, and counts what is asked of it. */
  private static final class Stream extends ServerCallStreamObserver<ServerFrame> {
    private int asked;
    private boolean ready = true;
    private Runnable readyHandler;

    @Override
    public void request(int count) {
      asked += count;
    }

    @Override
    public boolean isReady() {
      return ready;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {
      readyHandler = handler;
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public void setOnCancelHandler(Runnable handler) {}

    @Override
    public void setCompression(String compression) {}

    @Override
    public void disableAutoInboundFlowControl() {}

    @Override
    public void setMessageCompression(boolean enable) {}

    @Override
    public void onNext(ServerFrame frame) {}

    @Override
    public void onError(Throwable t) {}

    @Override
    public void onCompleted() {}
  }

  /** Sends as many of a kind as are asked for, up to {@code most}; how many those were. */
  private int fill(ClientFrame request, int most) {
    int sent = 0;
    while (stream.asked > 0 && sent < most) {
      stream.asked--;
      connection.received(request);
      connection.ask();
      sent++;
    }
    return sent;
  }

  @Test
  void nothingIsReadBeforeItBegins() {
    connection.ask();
    assertEquals(0, stream.asked);
    connection.begin(intake);
    assertEquals(1, stream.asked);
    connection.ask();
    assertEquals(1, stream.asked, "one at a time");
  }

  @Test
  void requestsUnderWayAreBounded() {
    connection.begin(intake);
    assertEquals(Session.MAX_IN_FLIGHT, fill(STAT, 1_000));
    connection.credit(STAT);
    assertEquals(1, fill(STAT, 1_000));
  }

  @Test
  void bytesOfRequestsAreBounded() {
    var write =
        ClientFrame.newBuilder()
            .setWrite(Write.newBuilder().setData(ByteString.copyFrom(new byte[1 << 20])))
            .build();
    connection.begin(intake);
    assertEquals(3, fill(write, 1_000));
    connection.credit(write);
    assertEquals(1, fill(write, 1_000));
    // More sessions came: what is under way goes on, and nothing is added.
    most = 1 << 20;
    connection.credit(write);
    connection.credit(write);
    assertEquals(0, fill(write, 1_000));
    connection.credit(write);
    assertEquals(1, fill(write, 1_000));
  }

  @Test
  void bytesOfRepliesAreBounded() {
    var read = ClientFrame.newBuilder().setRead(Read.newBuilder().setSize(1 << 20)).build();
    // 4 GiB and more: nobody gets that.
    var huge = ClientFrame.newBuilder().setRead(Read.newBuilder().setSize(-1)).build();
    connection.begin(intake);
    assertEquals(2, fill(read, 2));
    assertEquals(1, fill(huge, 1_000));
    connection.credit(huge);
    assertEquals(1, fill(read, 1_000));
  }

  @Test
  void whoDoesNotReadIsNotReadFrom() {
    connection.begin(intake);
    assertEquals(1, fill(STAT, 1));
    stream.ready = false;
    fill(STAT, 1);
    connection.credit(STAT);
    assertEquals(0, stream.asked);
    stream.ready = true;
    stream.readyHandler.run();
    assertEquals(1, stream.asked);
  }

  /** A session that is resumed goes on with what it has under way. */
  @Test
  void requestsOfTheConnectionBeforeCount() {
    connection.begin(intake);
    assertEquals(Session.MAX_IN_FLIGHT, fill(STAT, 1_000));
    var nextStream = new Stream();
    var next = new Connection(nextStream, "test", () -> most);
    next.begin(intake);
    assertEquals(0, nextStream.asked);
    connection.credit(STAT);
    next.ask();
    assertEquals(1, nextStream.asked);
  }
}
