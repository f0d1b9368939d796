package dev.hostshare.agent.docker;

import com.google.common.base.Splitter;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Takes the paths that a request would bind out of its body.
 *
 * <p>{@code Binds} and {@code Mounts} are looked for at any depth rather than where they belong:
 * engines up to 28 also take them at the top of a container's configuration, and in a service they
 * lie deeper. Nothing else of the API has lists by these names.
 *
 * <p>Go's decoder goes on in the same object when a key comes again, in any case, and a list that
 * comes again keeps what its elements had: {@code "Mounts":[{"Source":"/x"}],"mounts":[{"Type":
 * "bind"}]} binds /x. So keys are compared without case, every {@code Binds} counts, and a mount in
 * parts is refused.
 */
final class BindSources {
  /** Far more than a container has, few enough to look at each. */
  private static final int MOST = 1000;

  /** Of Mount.Type: what names no path of this machine. */
  private static final Set<String> PATHLESS = Set.of("tmpfs", "npipe", "image", "cluster");

  private final JsonReader json;
  private final Set<String> sources = new LinkedHashSet<>();
  private boolean mountsSeen;

  private BindSources(JsonReader json) {
    this.json = json;
  }

  /**
   * The paths, absolute, each once, in the order in which they are named.
   *
   * @param body JSON as the engine passed it on
   * @throws UncheckableException if the engine could read it in another way than we do
   */
  static List<String> of(Endpoint endpoint, byte[] body) throws UncheckableException {
    try (var json = new JsonReader(new StringReader(text(body)))) {
      json.setStrictness(Strictness.STRICT);
      var reading = new BindSources(json);
      if (endpoint == Endpoint.VOLUME_CREATE) {
        reading.volume();
      } else {
        reading.value();
      }
      return List.copyOf(reading.sources);
    } catch (IOException | IllegalStateException e) {
      throw new UncheckableException("the request's body is not JSON that can be read");
    }
  }

  private static String text(byte[] body) throws IOException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString();
    } catch (CharacterCodingException e) {
      throw new IOException("not UTF-8", e);
    }
  }

  /** Whatever comes next: looked through for binds and mounts. */
  private void value() throws IOException, UncheckableException {
    switch (json.peek()) {
      case BEGIN_OBJECT -> {
        json.beginObject();
        while (json.hasNext()) {
          member(json.nextName());
        }
        json.endObject();
      }
      case BEGIN_ARRAY -> {
        json.beginArray();
        while (json.hasNext()) {
          value();
        }
        json.endArray();
      }
      default -> json.skipValue();
    }
  }

  private void member(String name) throws IOException, UncheckableException {
    if (json.peek() != JsonToken.BEGIN_ARRAY) {
      value();
    } else if (name.equalsIgnoreCase("Binds")) {
      binds();
    } else if (name.equalsIgnoreCase("Mounts")) {
      if (mountsSeen) {
        throw twice(name);
      }
      mountsSeen = true;
      mounts();
    } else {
      value();
    }
  }

  /** {@code source:target} or {@code source:target:mode}; a target alone is a volume. */
  private void binds() throws IOException, UncheckableException {
    json.beginArray();
    while (json.hasNext()) {
      if (json.peek() == JsonToken.STRING) {
        List<String> parts = Splitter.on(':').limit(2).splitToList(json.nextString());
        if (parts.size() == 2 && parts.getFirst().startsWith("/")) {
          add(parts.getFirst());
        }
      } else {
        json.skipValue(); // the engine refuses it
      }
    }
    json.endArray();
  }

  private void mounts() throws IOException, UncheckableException {
    json.beginArray();
    while (json.hasNext()) {
      if (json.peek() == JsonToken.BEGIN_OBJECT) {
        mount();
      } else {
        json.skipValue();
      }
    }
    json.endArray();
  }

  private void mount() throws IOException, UncheckableException {
    var fields = new HashMap<String, String>();
    Volume volume = null;
    json.beginObject();
    while (json.hasNext()) {
      String name = json.nextName();
      if (name.equalsIgnoreCase("VolumeOptions") && json.peek() == JsonToken.BEGIN_OBJECT) {
        if (volume != null) {
          throw twice(name);
        }
        volume = volumeOptions();
      } else {
        text(fields, name, "Type", "Source");
      }
    }
    json.endObject();
    String type = fields.getOrDefault("type", "").toLowerCase(Locale.ROOT);
    String source = fields.getOrDefault("source", "");
    if (type.equals("volume")) {
      if (volume != null) {
        add(volume);
      }
    } else if (!PATHLESS.contains(type) && source.startsWith("/")) {
      add(source); // also of a type that is not known yet
    }
  }

  /** The driver of a new volume, in a mount: {@code {DriverConfig: {Name, Options}}}. */
  private Volume volumeOptions() throws IOException, UncheckableException {
    Volume volume = null;
    json.beginObject();
    while (json.hasNext()) {
      String name = json.nextName();
      if (name.equalsIgnoreCase("DriverConfig") && json.peek() == JsonToken.BEGIN_OBJECT) {
        if (volume != null) {
          throw twice(name);
        }
        volume = driver("Name", "Options");
      } else {
        json.skipValue();
      }
    }
    json.endObject();
    return volume;
  }

  private void volume() throws IOException, UncheckableException {
    if (json.peek() == JsonToken.BEGIN_OBJECT) {
      add(driver("Driver", "DriverOpts"));
    }
  }

  private Volume driver(String nameKey, String optionsKey)
      throws IOException, UncheckableException {
    var fields = new HashMap<String, String>();
    Map<String, String> options = null;
    json.beginObject();
    while (json.hasNext()) {
      String name = json.nextName();
      if (name.equalsIgnoreCase(optionsKey) && json.peek() == JsonToken.BEGIN_OBJECT) {
        if (options != null) {
          throw twice(name);
        }
        options = new HashMap<>();
        json.beginObject();
        while (json.hasNext()) {
          text(options, json.nextName(), "device", "o");
        }
        json.endObject();
      } else {
        text(fields, name, nameKey);
      }
    }
    json.endObject();
    return new Volume(
        fields.getOrDefault(nameKey.toLowerCase(Locale.ROOT), ""),
        options == null ? Map.of() : options);
  }

  /** Puts a text by the key in lower case if it is one of {@code keys}; skips anything else. */
  private void text(Map<String, String> to, String name, String... keys)
      throws IOException, UncheckableException {
    for (String key : keys) {
      if (name.equalsIgnoreCase(key) && json.peek() == JsonToken.STRING) {
        if (to.put(key.toLowerCase(Locale.ROOT), json.nextString()) != null) {
          throw twice(name);
        }
        return;
      }
    }
    json.skipValue();
  }

  private record Volume(String driver, Map<String, String> options) {
    /** As mount(2) is told by the engine's own driver, whatever type is named beside it. */
    boolean binds() {
      return (driver.isEmpty() || driver.equalsIgnoreCase("local"))
          && Splitter.on(',')
              .trimResults()
              .splitToStream(options.getOrDefault("o", ""))
              .anyMatch(o -> o.equalsIgnoreCase("bind") || o.equalsIgnoreCase("rbind"));
    }
  }

  private void add(Volume volume) throws UncheckableException {
    String device = volume.options().getOrDefault("device", "");
    if (volume.binds() && !device.isEmpty()) {
      if (!device.startsWith("/")) {
        throw new UncheckableException(
            "the device of a volume that binds must be an absolute path, not " + device);
      }
      add(device);
    }
  }

  private void add(String source) throws UncheckableException {
    if (sources.size() == MOST) {
      throw new UncheckableException("the request binds more than " + MOST + " paths");
    }
    // Go makes U+FFFD of half a surrogate pair, and no path has a NUL.
    if (source.indexOf('\0') >= 0 || !StandardCharsets.UTF_8.newEncoder().canEncode(source)) {
      throw new UncheckableException("the path " + source + " cannot be a file's name");
    }
    sources.add(source);
  }

  private static UncheckableException twice(String name) {
    return new UncheckableException("the request names " + name + " twice");
  }
}
