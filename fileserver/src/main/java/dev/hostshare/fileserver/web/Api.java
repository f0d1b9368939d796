package dev.hostshare.fileserver.web;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.common.base.Utf8;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import dev.hostshare.proto.v1.BrowseFolder;
import dev.hostshare.proto.v1.ImportShares;
import dev.hostshare.proto.v1.RemoveShare;
import dev.hostshare.proto.v1.RestoreShare;
import dev.hostshare.proto.v1.SettingsServiceGrpc.SettingsServiceBlockingStub;
import dev.hostshare.proto.v1.SharedFolder;
import dev.hostshare.proto.v1.StatusReply;
import dev.hostshare.proto.v1.UpdateShare;
import io.grpc.StatusRuntimeException;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * {@code /api/}: {@code SettingsService} and {@code AdminService.Status} for the page, in
 * protobuf's JSON.
 *
 * <pre>
 * GET    /api/events           server-sent: {"running": bool, "settings": Settings}, now and on change
 * GET    /api/status           {"running": bool, "status": StatusReply}
 * GET    /api/folders?path=    Folder
 * POST   /api/shares           SharedFolder -> Settings
 * PUT    /api/shares           UpdateShare -> Settings
 * DELETE /api/shares           RemoveShare -> Settings
 * POST   /api/shares/restore   RestoreShare -> Settings
 * POST   /api/import           ImportShares -> Imported
 * </pre>
 */
final class Api {
  /** 64 KiB: the longest path and note, each character escaped, which takes six bytes in JSON. */
  private static final int MAX_BODY = 64 << 10;

  /** 1 MiB, as on the command line; Docker Desktop's file has a few KiB. */
  private static final int MAX_IMPORT = 1 << 20;

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

  private final SettingsSource source;
  private final Events events;

  Api(SettingsSource source) {
    this.source = source;
    this.events = new Events(source);
  }

  void routes(RoutesConfig routes) {
    routes.get("/api/events", events::stream);
    routes.get("/api/status", this::status);
    routes.get("/api/folders", this::folders);
    routes.post(
        "/api/shares",
        r -> change(r, SharedFolder.newBuilder(), (s, m) -> s.add((SharedFolder) m)));
    routes.put(
        "/api/shares",
        r -> change(r, UpdateShare.newBuilder(), (s, m) -> s.update((UpdateShare) m)));
    routes.delete(
        "/api/shares",
        r -> change(r, RemoveShare.newBuilder(), (s, m) -> s.remove((RemoveShare) m)));
    routes.post(
        "/api/shares/restore",
        r -> change(r, RestoreShare.newBuilder(), (s, m) -> s.restore((RestoreShare) m)));
    routes.post(
        "/api/import",
        r -> change(r, ImportShares.newBuilder(), (s, m) -> s.import_((ImportShares) m)));
  }

  /** A server that is just being started or stopped does not run. */
  private void status(Context request) {
    StatusReply status;
    try {
      status = source.status();
    } catch (IOException e) {
      status = null;
    } catch (StatusRuntimeException e) {
      if (!isAway(e)) {
        throw e;
      }
      status = null;
    }
    String body = status == null ? "" : ",\"status\":" + json(status);
    answer(request, "{\"running\":" + (status != null) + body + "}");
  }

  private void folders(Context request) {
    String path = request.queryParam("path");
    BrowseFolder folder =
        BrowseFolder.newBuilder().setPath(checked(path == null ? "" : path)).build();
    reply(request, source::read, service -> service.browse(folder));
  }

  private void change(
      Context request,
      Message.Builder builder,
      BiFunction<SettingsServiceBlockingStub, Message, Message> call) {
    boolean isImport = builder instanceof ImportShares.Builder;
    Message message = parse(request, builder, isImport ? 2 * MAX_IMPORT : MAX_BODY);
    if (message instanceof ImportShares file && file.getJson().length() > MAX_IMPORT) {
      throw new Refusal(413, "the file has more than 1 MiB: it is no settings file");
    }
    reply(request, source::change, service -> call.apply(service, message));
  }

  /** {@link SettingsSource#read} or {@link SettingsSource#change}. */
  private interface Way {
    Message run(Function<SettingsServiceBlockingStub, Message> call) throws IOException;
  }

  private static void reply(
      Context request, Way way, Function<SettingsServiceBlockingStub, Message> call) {
    try {
      answer(request, json(way.run(call)));
    } catch (IOException e) {
      throw new Refusal(503, e.getMessage());
    } catch (StatusRuntimeException e) {
      throw refusal(e);
    }
  }

  private static boolean isAway(StatusRuntimeException e) {
    return switch (e.getStatus().getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> true;
      default -> false;
    };
  }

  private static RuntimeException refusal(StatusRuntimeException e) {
    int status =
        switch (e.getStatus().getCode()) {
          case INVALID_ARGUMENT -> 400;
          case PERMISSION_DENIED -> 403;
          case NOT_FOUND -> 404;
          case ALREADY_EXISTS, FAILED_PRECONDITION -> 409;
          case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> 503;
          default -> 500;
        };
    return switch (status) {
      case 500 -> e;
      case 503 -> new Refusal(503, "the server does not answer; try again in a moment");
      default -> new Refusal(status, e.getStatus().getDescription());
    };
  }

  private static <B extends Message.Builder> Message parse(Context request, B builder, int limit) {
    String text = body(request, limit);
    try {
      JsonNode tree = JSON.readTree(text); // JsonFormat takes much that is no JSON
      if (!tree.isObject()) {
        throw new Refusal(400, "a JSON object is expected");
      }
      JsonFormat.parser().merge(text, builder);
    } catch (JsonProcessingException e) {
      throw new Refusal(400, "this is no JSON: " + firstLine(e.getOriginalMessage()));
    } catch (InvalidProtocolBufferException e) {
      throw new Refusal(400, "this is not what is expected: " + firstLine(e.getMessage()));
    }
    Message message = builder.build();
    message.getAllFields().values().stream()
        .filter(String.class::isInstance)
        .forEach(value -> checked((String) value));
    return message;
  }

  private static String body(Context request, int limit) {
    try (InputStream in = request.req().getInputStream()) {
      byte[] bytes = in.readNBytes(limit + 1);
      if (bytes.length > limit) {
        throw new Refusal(413, "this is more than " + limit + " bytes");
      }
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Refusal(400, "this is not UTF-8 text");
    } catch (IOException e) {
      throw new Refusal(400, "the request ended before all of it was there");
    }
  }

  /** Half a character would become another one on its way to the server. */
  private static String checked(String text) {
    try {
      var _ = Utf8.encodedLength(text);
      return text;
    } catch (IllegalArgumentException e) {
      throw new Refusal(400, "there is half a character in the text");
    }
  }

  private static String firstLine(String message) {
    String first = message.lines().findFirst().orElse("").replaceAll("\\p{Cntrl}", "?");
    return first.length() > 200 ? first.substring(0, 200) + "..." : first;
  }

  static String json(MessageOrBuilder message) {
    try {
      return PRINTER.print(message);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("our own messages can be printed", e);
    }
  }

  static void error(Context request, String message) {
    answer(request, JSON.createObjectNode().put("error", message).toString());
  }

  private static void answer(Context request, String json) {
    request.contentType("application/json; charset=utf-8").result(json);
  }
}
