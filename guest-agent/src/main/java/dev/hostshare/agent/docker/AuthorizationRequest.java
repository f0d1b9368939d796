package dev.hostshare.agent.docker;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;

/**
 * What the engine asks: whether it may do an API request.
 *
 * <p>Source: moby, pkg/authorization/api.go and authz.go.
 *
 * @param method of the API request, such as POST
 * @param uri as in its first line
 * @param body of the API request; empty if there is none, or if the engine does not pass it on:
 *     because it is not JSON, too long (1 MiB, 4 MiB since 29), or, before 27.1.1, because its
 *     length was not announced
 * @param mayHaveBody whether there may be one although {@code body} is empty
 */
record AuthorizationRequest(String method, String uri, byte[] body, boolean mayHaveBody) {

  /** The method and the URI alone. */
  record Head(String method, String uri) {}

  /**
   * Reads as far as to the URI, which engines write before the body.
   *
   * @param json need not be whole
   * @throws IOException if there is no head in it
   */
  static Head head(InputStream json) throws IOException {
    String method = null;
    String uri = null;
    try (JsonReader reader = reader(json)) {
      reader.beginObject();
      while (method == null || uri == null) {
        if (!reader.hasNext()) {
          throw new IOException("it names no RequestMethod and RequestUri");
        }
        switch (reader.nextName()) {
          case "RequestMethod" -> method = reader.nextString();
          case "RequestUri" -> uri = reader.nextString();
          default -> reader.skipValue();
        }
      }
      return new Head(method, uri);
    } catch (IllegalStateException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Reads the whole. */
  static AuthorizationRequest parse(InputStream json) throws IOException {
    String method = "";
    String uri = "";
    byte[] body = {};
    var headers = new Headers();
    try (JsonReader reader = reader(json)) {
      reader.beginObject();
      while (reader.hasNext()) {
        switch (reader.nextName()) {
          case "RequestMethod" -> method = reader.nextString();
          case "RequestUri" -> uri = reader.nextString();
          case "RequestBody" -> body = Base64.getDecoder().decode(reader.nextString());
          case "RequestHeaders" -> headers.read(reader);
          default -> reader.skipValue();
        }
      }
      reader.endObject();
      return new AuthorizationRequest(method, uri, body, headers.announceJson());
    } catch (IllegalStateException | IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static JsonReader reader(InputStream json) {
    var reader = new JsonReader(new InputStreamReader(json, StandardCharsets.UTF_8));
    reader.setStrictness(Strictness.STRICT);
    return reader;
  }

  private static final class Headers {
    private String contentType = "";
    private String contentLength = "";

    void read(JsonReader reader) throws IOException {
      if (reader.peek() != JsonToken.BEGIN_OBJECT) {
        reader.skipValue();
        return;
      }
      reader.beginObject();
      while (reader.hasNext()) {
        String name = reader.nextName();
        if (name.equalsIgnoreCase("Content-Type")) {
          contentType = reader.nextString();
        } else if (name.equalsIgnoreCase("Content-Length")) {
          contentLength = reader.nextString();
        } else {
          reader.skipValue();
        }
      }
      reader.endObject();
    }

    boolean announceJson() {
      return contentType.toLowerCase(Locale.ROOT).contains("json") && !contentLength.equals("0");
    }
  }
}
