package dev.hostshare.fileserver.rpc;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.FileServiceGrpc;
import dev.hostshare.proto.v1.Hello;
import dev.hostshare.proto.v1.ServerFrame;
import dev.hostshare.proto.v1.Share;
import dev.hostshare.proto.v1.Welcome;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code FileService}: opens streams, negotiates, and hands frames to their sessions. */
final class FileServiceHandler extends FileServiceGrpc.FileServiceImplBase {
  private static final Logger log = LoggerFactory.getLogger(FileServiceHandler.class);

  static final int VERSION = 1;

  /** 1 MiB: what the kernel's FUSE sends and asks for at the most (256 pages). */
  static final int MAX_PAYLOAD = 1 << 20;

  private static final int MIN_PAYLOAD = 4096;

  /** Of all requests under way, with their replies: a quarter of the heap, by default 25 MiB. */
  private static final long MAX_BYTES = Runtime.getRuntime().maxMemory() / 4;

  /** Of one session: two of the largest requests side by side. */
  private static final long LEAST_BYTES = 2L * MAX_PAYLOAD;

  private static final int MAX_CLIENT_NAME = 256;

  private final SessionTable sessions;
  private final Function<String, Session> newSession;
  private final Supplier<List<Share>> shares;
  private final boolean watches;
  private final String serverName;

  /**
   * The service.
   *
   * @param newSession makes a session for a client of this name
   * @param shares what guests may have at this moment
   * @param watches whether sessions are told of changes on the host
   */
  FileServiceHandler(
      SessionTable sessions,
      Function<String, Session> newSession,
      Supplier<List<Share>> shares,
      boolean watches,
      String serverName) {
    this.sessions = sessions;
    this.newSession = newSession;
    this.shares = shares;
    this.watches = watches;
    this.serverName = serverName;
  }

  /** The service as it is to be offered: its frames are read by {@link RequestMarshaller}. */
  ServerServiceDefinition bind() {
    var attach =
        FileServiceGrpc.getAttachMethod().toBuilder()
            .setRequestMarshaller(new RequestMarshaller())
            .build();
    var service =
        ServiceDescriptor.newBuilder(FileServiceGrpc.SERVICE_NAME)
            .setSchemaDescriptor(FileServiceGrpc.getServiceDescriptor().getSchemaDescriptor())
            .addMethod(attach)
            .build();
    return ServerServiceDefinition.builder(service)
        .addMethod(attach, ServerCalls.asyncBidiStreamingCall(this::attach))
        .build();
  }

  @Override
  public StreamObserver<ClientFrame> attach(StreamObserver<ServerFrame> responses) {
    ServerCallStreamObserver<ServerFrame> out = (ServerCallStreamObserver<ServerFrame>) responses;
    Stream stream = new Stream(new Connection(out, PeerAddress.current(), this::maxBytes));
    out.disableAutoRequest();
    out.setOnCancelHandler(stream::lost);
    // Of a stream that gRPC ends by itself, for an error.
    out.setOnCloseHandler(stream::lost);
    out.request(1); // hello; the next after the welcome
    return stream;
  }

  /** The receiving side of one stream: called by one thread at a time, as gRPC promises. */
  private final class Stream implements StreamObserver<ClientFrame> {
    private final Connection connection;
    private Session session;
    private ByteString secret;

    Stream(Connection connection) {
      this.connection = connection;
    }

    @Override
    public void onNext(ClientFrame frame) {
      if (session == null) {
        hello(frame);
        return;
      }
      if (RequestMarshaller.isRefused(frame)) {
        malformed("a frame that cannot be read, or of too many parts");
        return;
      }
      switch (frame.getOpCase()) {
        case OP_NOT_SET, HELLO -> malformed("a frame without a request");
        case FORGET, CANCEL -> receive(frame);
        default -> {
          if (frame.getSeq() <= 0) {
            malformed("a request without a number");
          } else {
            receive(frame);
          }
        }
      }
    }

    private void receive(ClientFrame frame) {
      connection.received(frame);
      session.receive(frame, connection);
      connection.ask();
    }

    private void hello(ClientFrame frame) {
      Hello hello = frame.getHello();
      if (!frame.hasHello()) {
        connection.fail(
            Status.FAILED_PRECONDITION.withDescription("the first frame must be hello"));
        return;
      }
      if (hello.getVersion() != VERSION) {
        connection.fail(
            Status.FAILED_PRECONDITION.withDescription(
                "the client speaks protocol version "
                    + hello.getVersion()
                    + ", this server speaks "
                    + VERSION
                    + "; use an agent of the server's release"));
        return;
      }
      if (hello.getMaxPayload() < MIN_PAYLOAD) {
        connection.fail(
            Status.FAILED_PRECONDITION.withDescription(
                "max_payload " + hello.getMaxPayload() + " is less than " + MIN_PAYLOAD));
        return;
      }
      Session known = sessions.find(hello.getResume());
      boolean resumed = known != null;
      if (resumed) {
        // A copy: it may be a part of a large frame.
        secret = ByteString.copyFrom(hello.getResume().toByteArray());
      } else {
        known = newSession.apply(printable(hello.getClient()));
        secret = sessions.add(known);
        if (secret == null) {
          known.close();
          connection.fail(Status.RESOURCE_EXHAUSTED.withDescription("too many sessions"));
          return;
        }
      }
      session = known;
      List<Share> told = shares.get();
      connection.send(
          ServerFrame.newBuilder()
              .setWelcome(
                  Welcome.newBuilder()
                      .setVersion(VERSION)
                      .setSession(secret)
                      .setResumed(resumed)
                      .setMaxPayload(Math.min(hello.getMaxPayload(), MAX_PAYLOAD))
                      .setMaxInFlight(Session.MAX_IN_FLIGHT)
                      .setMaxNodes(session.maxNodes())
                      .setServer(serverName)
                      .addAllShares(told)
                      .setWatches(watches)
                      .setKeepsOrder(true))
              .build());
      // After the welcome, so that it is the first frame; replies that were lost come on demand.
      Connection old = session.attach(connection);
      if (old != null) {
        old.fail(Status.ABORTED.withDescription("the session was resumed elsewhere"));
      }
      // What happened before it was attached was not told.
      if (resumed && session.hasLost()) {
        connection.fail(Status.ABORTED.withDescription("a share of the session was taken away"));
        sessions.remove(secret, session);
        return;
      }
      sessions.sharesChanged(session, told, shares);
      log.info(
          "{} at {}: session {}",
          session.client,
          connection.peer(),
          resumed ? "resumed" : "begins");
      connection.begin(session.intake);
    }

    private void malformed(String what) {
      connection.fail(Status.INVALID_ARGUMENT.withDescription(what));
      sessions.remove(secret, session);
    }

    void lost() {
      if (session != null && session.detach(connection)) {
        log.info("{}: connection lost", session.client);
        sessions.detached(secret, session);
      }
    }

    @Override
    public void onError(Throwable t) {
      lost();
    }

    /** The client says goodbye: nothing will be resumed. */
    @Override
    public void onCompleted() {
      if (session != null && session.detach(connection)) {
        log.info("{}: session ends", session.client);
        sessions.remove(secret, session);
      }
      connection.complete();
    }
  }

  /** A session's part of what requests may take. */
  private long maxBytes() {
    return Math.max(LEAST_BYTES, MAX_BYTES / sessions.size());
  }

  /** A client's name goes to logs and terminals. */
  private static String printable(String name) {
    String shortened = name.length() > MAX_CLIENT_NAME ? name.substring(0, MAX_CLIENT_NAME) : name;
    return shortened.replaceAll("\\p{Cntrl}", "?");
  }
}
