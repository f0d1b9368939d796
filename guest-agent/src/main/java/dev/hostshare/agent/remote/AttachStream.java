package dev.hostshare.agent.remote;

import dev.hostshare.proto.net.PollingLoop;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.FileServiceGrpc;
import dev.hostshare.proto.v1.Hello;
import dev.hostshare.proto.v1.ServerFrame;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientResponseObserver;

/**
 * One connection of a session: from hello to the end of one {@code Attach} stream.
 *
 * <p>{@link #send} must not be called by two threads at once (the session's send lock). What comes
 * in is passed to the session on the event loop thread.
 */
final class AttachStream implements ClientResponseObserver<ClientFrame, ServerFrame> {
  private final Session session;
  private final ReplyMarshaller marshaller = new ReplyMarshaller();
  private ClientCallStreamObserver<ClientFrame> requests;

  /** Only touched by the event loop thread. */
  private boolean welcomed;

  AttachStream(Session session) {
    this.session = session;
  }

  /**
   * Begins to connect and says hello. The outcome comes as {@link Session#onWelcome} or {@link
   * Session#onBroken}, the latter perhaps before this returns.
   */
  void open(ManagedChannel channel, Hello hello) {
    var attach =
        FileServiceGrpc.getAttachMethod().toBuilder().setResponseMarshaller(marshaller).build();
    var _ = ClientCalls.asyncBidiStreamingCall(channel.newCall(attach, CallOptions.DEFAULT), this);
    send(ClientFrame.newBuilder().setHello(hello).build());
  }

  /**
   * Queues a frame for the stream; does not wait for the network. A stream that is already broken
   * takes the frame and drops it: {@link Session#onBroken} follows or was called, and the session
   * sends what is unanswered on the next stream.
   */
  void send(ClientFrame frame) {
    PollingLoop.passes(frame);
    try {
      requests.onNext(frame);
    } catch (IllegalStateException e) {
      cancel("the stream is closed", e);
    }
  }

  /** Says goodbye: the server ends the session. As {@link #send}. */
  void complete() {
    try {
      requests.onCompleted();
    } catch (IllegalStateException e) {
      cancel("the stream is closed", e);
    }
  }

  void cancel(String reason, Throwable cause) {
    requests.cancel(reason, cause);
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<ClientFrame> requestStream) {
    requests = requestStream;
  }

  @Override
  public void onNext(ServerFrame frame) {
    try {
      take(frame);
    } finally {
      marshaller.done();
    }
  }

  private void take(ServerFrame frame) {
    if (welcomed) {
      session.onFrame(this, frame);
    } else if (frame.hasWelcome()) {
      welcomed = true;
      session.onWelcome(this, frame.getWelcome());
    } else {
      cancel("the server's first frame is not a welcome", null);
    }
  }

  @Override
  public void onError(Throwable t) {
    session.onBroken(this, Status.fromThrowable(t));
  }

  @Override
  public void onCompleted() {
    session.onBroken(this, Status.UNAVAILABLE.withDescription("the server ended the session"));
  }
}
