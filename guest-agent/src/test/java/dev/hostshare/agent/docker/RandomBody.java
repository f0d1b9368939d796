package dev.hostshare.agent.docker;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** JSON of a container to create, as a client that is up to no good could write it. */
final class RandomBody {
  private final Random random;

  /** A path that may be bound. */
  private final String harmless;

  RandomBody(Random random, String harmless) {
    this.random = random;
    this.harmless = harmless;
  }

  /** One that binds {@code source}, once, among others. */
  String with(String source) {
    var members = new ArrayList<String>();
    members.add(
        switch (random.nextInt(5)) {
          case 0 -> member("HostConfig", object(binds(source)));
          case 1 -> member("HostConfig", object(mounts(source)));
          case 2 -> binds(source);
          case 3 -> mounts(source);
          default ->
              member("TaskTemplate", object(member("ContainerSpec", object(mounts(source)))));
        });
    if (random.nextInt(3) == 0) {
      members.add(member("HostConfig", object(binds(harmless))));
    }
    if (random.nextInt(3) == 0) {
      members.add(member("HostConfig", "null"));
    }
    return object(members);
  }

  private String binds(String source) {
    return member(
        "Binds", list(string(source + ":/t"), string(harmless + ":/u:ro"), string("v:/w")));
  }

  private String mounts(String source) {
    return member(
        "Mounts",
        list(mount(source), mount(harmless), "null", object(member("Type", string("tmpfs")))));
  }

  private String mount(String source) {
    if (random.nextBoolean()) {
      return object(member("Type", string("bind")), member("Source", string(source)));
    }
    var options =
        object(
            "\"o\":" + string(random.nextBoolean() ? "bind" : "ro,rbind"),
            "\"type\":" + string("none"),
            "\"device\":" + string(source));
    var driver = new ArrayList<>(List.of(member("Options", options)));
    if (random.nextBoolean()) {
      driver.add(member("Name", string(random.nextBoolean() ? "local" : "")));
    }
    return object(
        member("Type", string("volume")),
        member("Source", string("name")),
        member("VolumeOptions", object(member("DriverConfig", object(driver)))));
  }

  private String member(String name, String value) {
    var key = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      key.append(
          switch (random.nextInt(4)) {
            case 0 -> Character.toUpperCase(c);
            case 1 -> Character.toLowerCase(c);
            default -> c == 's' && random.nextInt(4) == 0 ? 'ſ' : c;
          });
    }
    return string(key.toString()) + space() + ":" + space() + value;
  }

  private String object(String... members) {
    return object(List.of(members));
  }

  private String object(List<String> members) {
    var all = new ArrayList<>(members);
    for (int i = random.nextInt(3); i > 0; i--) {
      all.add(string("Extra" + random.nextInt(2)) + ":" + value(4));
    }
    Collections.shuffle(all, random);
    return "{" + space() + String.join(space() + ",", all) + "}";
  }

  private String list(String... elements) {
    var all = new ArrayList<>(List.of(elements));
    Collections.shuffle(all, random);
    return "[" + String.join("," + space(), all) + space() + "]";
  }

  private String value(int depth) {
    return switch (random.nextInt(depth > 0 ? 7 : 5)) {
      case 0 -> "null";
      case 1 -> "true";
      case 2 -> Double.toString(random.nextGaussian());
      case 3 -> string("/none:/bind");
      case 4 -> Long.toString(random.nextLong());
      case 5 -> "[" + value(depth - 1) + "," + value(depth - 1) + "]";
      default -> "{" + string("x") + ":" + value(depth - 1) + "}";
    };
  }

  private String space() {
    return switch (random.nextInt(4)) {
      case 0 -> " ";
      case 1 -> "\n\t";
      default -> "";
    };
  }

  private String string(String text) {
    var json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (random.nextInt(8) == 0) {
        json.append("\\u%04x".formatted((int) c));
      } else if (c == '/' && random.nextInt(8) == 0) {
        json.append("\\/");
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
