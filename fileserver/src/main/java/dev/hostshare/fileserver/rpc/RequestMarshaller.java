package dev.hostshare.fileserver.rpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import dev.hostshare.proto.v1.ClientFrame;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import java.io.IOException;
import java.io.InputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads clients' frames, and makes nothing of those that would become many times as large in
 * memory: a frame of 1 MiB has room for half a million lookup counts, which take 25 MB.
 * Thread-safe.
 *
 * <p>What is large in an honest frame is the data of a write or the value of an attribute, which is
 * as large in memory; and many lookup counts, which clients send in several frames.
 */
final class RequestMarshaller implements Marshaller<ClientFrame> {
  private static final Logger log = LoggerFactory.getLogger(RequestMarshaller.class);

  /** Stands for a frame that was not read; compared by identity. */
  static final ClientFrame REFUSED = ClientFrame.newBuilder().setSeq(Long.MAX_VALUE).buildPartial();

  /** A frame of this size is 100 KiB in memory at the most, and is not looked through. */
  private static final int SMALL_BYTES = 4 << 10;

  /**
   * Of all in a frame but a write, a value, lookup counts, and who asks: names, handles, numbers.
   */
  private static final int MAX_OTHER_BYTES = 64 << 10;

  /** A caller has 65,536 groups at the most, of five bytes each (NGROUPS_MAX). */
  private static final int MAX_CALLER_BYTES = (5 << 16) + SMALL_BYTES;

  /** A frame's; agents send half as many. */
  static final int MAX_FORGETS = 16 << 10;

  /** Fields of a frame, and of a write in it: agents pack 128 writes into one. */
  private static final int MAX_PARTS = 1 << 10;

  private static final Parser<ClientFrame> PARSER =
      DiscardUnknownFieldsParser.wrap(ClientFrame.parser());

  private static final Marshaller<ClientFrame> WRITER =
      ProtoUtils.marshaller(ClientFrame.getDefaultInstance());

  @SuppressWarnings("ReferenceEquality") // a client could send its equal
  static boolean isRefused(ClientFrame frame) {
    return frame == REFUSED;
  }

  @Override
  public InputStream stream(ClientFrame value) {
    return WRITER.stream(value);
  }

  /** {@link #REFUSED} for what is no frame, or is out of proportion. */
  @Override
  public ClientFrame parse(InputStream stream) {
    try {
      byte[] frame = bytes(stream);
      if (frame.length <= SMALL_BYTES) {
        return PARSER.parseFrom(frame);
      }
      if (!isInProportion(frame)) {
        return REFUSED;
      }
      // Nobody else has the array: a large payload stays where it is.
      CodedInputStream in = UnsafeByteOperations.unsafeWrap(frame).newCodedInput();
      in.enableAliasing(true);
      ClientFrame parsed = PARSER.parseFrom(in);
      in.checkLastTagWas(0);
      // What was read over must not stay for the sake of the rest.
      return frame.length - parsed.getSerializedSize() > SMALL_BYTES
          ? PARSER.parseFrom(frame)
          : parsed;
    } catch (InvalidProtocolBufferException e) {
      log.debug("not a frame", e);
      return REFUSED;
    } catch (IOException e) {
      throw Status.INTERNAL
          .withDescription("cannot read a frame")
          .withCause(e)
          .asRuntimeException();
    }
  }

  private static byte[] bytes(InputStream stream) throws IOException {
    if (!(stream instanceof KnownLength)) {
      return stream.readAllBytes(); // compressed; gRPC minds the size
    }
    byte[] frame = new byte[stream.available()];
    if (stream.readNBytes(frame, 0, frame.length) < frame.length || stream.read() >= 0) {
      throw new IOException("a message of another length than was told");
    }
    return frame;
  }

  /** Fields that occur again are merged, so what they have is added up. */
  private static boolean isInProportion(byte[] frame) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(frame);
    int forgets = 0;
    int parts = 0;
    long other = 0;
    long caller = 0;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      parts++;
      if (WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
        in.skipField(tag);
        continue;
      }
      int length = in.readRawVarint32();
      switch (WireFormat.getTagFieldNumber(tag)) {
        case ClientFrame.FORGET_FIELD_NUMBER -> forgets += skipFields(in, length);
        case ClientFrame.WRITE_FIELD_NUMBER -> parts += skipFields(in, length);
        case ClientFrame.SETXATTR_FIELD_NUMBER -> in.skipRawBytes(length);
        case ClientFrame.CALLER_FIELD_NUMBER -> {
          caller += length;
          in.skipRawBytes(length);
        }
        default -> {
          other += length;
          in.skipRawBytes(length);
        }
      }
    }
    return forgets <= MAX_FORGETS
        && parts <= MAX_PARTS
        && other <= MAX_OTHER_BYTES
        && caller <= MAX_CALLER_BYTES;
  }

  /** Passes over a message of {@code length} bytes; how many fields it has. */
  private static int skipFields(CodedInputStream in, int length) throws IOException {
    int limit = in.pushLimit(length);
    int fields = 0;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      in.skipField(tag);
      fields++;
    }
    in.popLimit(limit);
    return fields;
  }
}
