package dev.hostshare.agent.docker;

import com.google.common.base.Splitter;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** The requests of the engine's API, by what they can bind. */
enum Endpoint {
  CONTAINER_CREATE,

  /**
   * Starting a container by an API before 1.24, where the request may bring other mounts; engines
   * up to 25 know it.
   */
  CONTAINER_START_WITH_MOUNTS,

  VOLUME_CREATE,

  /** Creating or updating a service of a swarm. */
  SERVICE,

  /** Binds nothing. */
  OTHER;

  /** A request may name the whole URL rather than its path; Go takes both. */
  private static final Pattern AUTHORITY = Pattern.compile("^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*");

  private static final Pattern VERSION = Pattern.compile("v[0-9.]+");

  /**
   * What a request is for. Takes everything for an endpoint that the engine could: percent-encoded,
   * with empty, {@code .} and {@code ..} segments, in any case.
   *
   * @param uri as it stands in the request's first line
   * @throws UncheckableException if the URI cannot be read
   */
  static Endpoint of(String method, String uri) throws UncheckableException {
    if (!method.equalsIgnoreCase("POST")) {
      return OTHER;
    }
    List<String> path = segments(uri);
    String version = null;
    while (!path.isEmpty() && VERSION.matcher(path.getFirst()).matches()) {
      version = path.removeFirst().substring(1);
    }
    if (path.size() < 2) {
      return OTHER;
    }
    boolean create = path.size() == 2 && path.getLast().equals("create");
    String verb = path.getLast();
    return switch (path.getFirst()) {
      case "containers" -> {
        boolean old = verb.equals("start") && version != null && isBefore124(version);
        yield create ? CONTAINER_CREATE : old ? CONTAINER_START_WITH_MOUNTS : OTHER;
      }
      case "volumes" -> create ? VOLUME_CREATE : OTHER;
      case "services" -> create || verb.equals("update") ? SERVICE : OTHER;
      default -> OTHER;
    };
  }

  private static List<String> segments(String uri) throws UncheckableException {
    String path = AUTHORITY.matcher(uri).replaceFirst("");
    int end = path.indexOf('?');
    var segments = new ArrayList<String>();
    for (String segment : Splitter.on('/').split(decode(end < 0 ? path : path.substring(0, end)))) {
      if (segment.equals("..") && !segments.isEmpty()) {
        segments.removeLast();
      } else if (!segment.isEmpty() && !segment.equals(".") && !segment.equals("..")) {
        segments.add(segment.toLowerCase(Locale.ROOT));
      }
    }
    return segments;
  }

  private static String decode(String path) throws UncheckableException {
    var bytes = new ByteArrayOutputStream();
    byte[] encoded = path.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < encoded.length; i++) {
      if (encoded[i] != '%') {
        bytes.write(encoded[i]);
        continue;
      }
      int high = i + 2 < encoded.length ? Character.digit(encoded[i + 1], 16) : -1;
      int low = i + 2 < encoded.length ? Character.digit(encoded[i + 2], 16) : -1;
      if (high < 0 || low < 0) {
        throw new UncheckableException("the request's path has a % that encodes nothing");
      }
      bytes.write(high << 4 | low);
      i += 2;
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** What is no number is taken for an old version: then more is checked. */
  private static boolean isBefore124(String version) {
    List<String> numbers = Splitter.on('.').splitToList(version);
    if (numbers.size() < 2 || !numbers.stream().allMatch(number -> number.matches("\\d{1,6}"))) {
      return true;
    }
    int major = Integer.parseInt(numbers.get(0));
    return major < 1 || (major == 1 && Integer.parseInt(numbers.get(1)) < 24);
  }
}
