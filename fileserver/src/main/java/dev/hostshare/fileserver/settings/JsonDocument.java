package dev.hostshare.fileserver.settings;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.IdentityHashMap;

/**
 * A JSON text that knows where in it each value is, so that whoever wrote it by hand is told the
 * line and column of a mistake. RFC 8259, an object at the top, no name twice in an object.
 */
final class JsonDocument {
  private static final JsonFactory FACTORY =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final String name;
  private final ObjectNode root;

  /** Of values that are no shared constants; see {@link #problem}. */
  private final IdentityHashMap<JsonNode, JsonLocation> locations;

  private JsonDocument(
      String name, ObjectNode root, IdentityHashMap<JsonNode, JsonLocation> locations) {
    this.name = name;
    this.root = root;
    this.locations = locations;
  }

  /**
   * Reads a text.
   *
   * @param name the file's, for messages
   * @throws SettingsException with line and column
   */
  static JsonDocument parse(String name, byte[] utf8) throws SettingsException {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    } catch (CharacterCodingException e) {
      throw new SettingsException(
          SettingsException.Reason.BROKEN_FILE, name + " is not UTF-8 text", e);
    }
    return parse(name, text);
  }

  static JsonDocument parse(String name, String text) throws SettingsException {
    try (JsonParser parser =
        FACTORY.createParser(text.startsWith("\uFEFF") ? text.substring(1) : text)) {
      return read(name, parser);
    } catch (SettingsException e) {
      throw e;
    } catch (IOException e) {
      throw new AssertionError("a string cannot fail to be read", e);
    }
  }

  private static JsonDocument read(String name, JsonParser parser) throws IOException {
    IdentityHashMap<JsonNode, JsonLocation> locations = new IdentityHashMap<>();
    try {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw at(name, parser.currentTokenLocation(), "an object, { ... }, is expected");
      }
      ObjectNode root = (ObjectNode) value(parser, locations);
      if (parser.nextToken() != null) {
        throw at(name, parser.currentTokenLocation(), "nothing more is expected after the object");
      }
      return new JsonDocument(name, root, locations);
    } catch (JsonProcessingException e) {
      JsonLocation where = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
      throw at(name, where, e.getOriginalMessage());
    }
  }

  /** The parser limits the depth (1,000), so the recursion is bounded. */
  private static JsonNode value(
      JsonParser parser, IdentityHashMap<JsonNode, JsonLocation> locations) throws IOException {
    JsonLocation location = parser.currentTokenLocation();
    JsonNode node =
        switch (parser.currentToken()) {
          case START_OBJECT -> {
            ObjectNode object = NODES.objectNode();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
              String field = parser.currentName();
              parser.nextToken();
              object.set(field, value(parser, locations));
            }
            yield object;
          }
          case START_ARRAY -> {
            ArrayNode array = NODES.arrayNode();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
              array.add(value(parser, locations));
            }
            yield array;
          }
          case VALUE_STRING -> NODES.textNode(parser.getText());
          case VALUE_NUMBER_INT -> NODES.numberNode(parser.getBigIntegerValue());
          case VALUE_NUMBER_FLOAT -> NODES.numberNode(parser.getDecimalValue());
          case VALUE_TRUE -> NODES.booleanNode(true);
          case VALUE_FALSE -> NODES.booleanNode(false);
          case VALUE_NULL -> NODES.nullNode();
          default -> throw new IllegalStateException("no value: " + parser.currentToken());
        };
    locations.putIfAbsent(node, location);
    return node;
  }

  ObjectNode root() {
    return root;
  }

  /**
   * What is wrong with a value. Of true, false and null, of which there is one each, {@code in}
   * tells where.
   */
  SettingsException problem(JsonNode value, JsonNode in, String message) {
    boolean constant = value == null || value.isBoolean() || value.isNull();
    return at(name, locations.get(constant ? in : value), message);
  }

  private static SettingsException at(String name, JsonLocation location, String message) {
    // Jackson goes on about its own settings, and the text may be long.
    String sentence = message.lines().findFirst().orElse("it is no JSON");
    String first =
        SharedFolder.printable(
            sentence.replaceFirst(" \\((for \\w+ starting|start marker) at .*", ""));
    return new SettingsException(
        SettingsException.Reason.BROKEN_FILE,
        location == null
            ? name + ": " + first
            : "%s, line %d, column %d: %s"
                .formatted(name, location.getLineNr(), location.getColumnNr(), first));
  }

  ArrayNode array(JsonNode in, String field) throws SettingsException {
    JsonNode value = in.get(field);
    if (value instanceof ArrayNode array) {
      return array;
    }
    throw problem(value, in, "\"" + field + "\" has to be a list, [ ... ]");
  }

  ObjectNode object(JsonNode value, JsonNode in, String what) throws SettingsException {
    if (value instanceof ObjectNode object) {
      return object;
    }
    throw problem(value, in, what + " has to be an object, { ... }");
  }

  /** A string, or {@code absent} if the member is not there. */
  String string(JsonNode in, String field, String absent) throws SettingsException {
    JsonNode value = in.get(field);
    if (value == null && absent != null) {
      return absent;
    }
    if (value == null || !value.isTextual()) {
      throw problem(value, in, "\"" + field + "\" has to be a text, \"...\"");
    }
    return value.textValue();
  }

  boolean bool(JsonNode in, String field, boolean absent) throws SettingsException {
    JsonNode value = in.get(field);
    if (value == null) {
      return absent;
    }
    if (!value.isBoolean()) {
      throw problem(value, in, "\"" + field + "\" has to be true or false");
    }
    return value.booleanValue();
  }
}
