package dev.hostshare.agent.cli;

import com.google.common.base.Splitter;
import dev.hostshare.agent.kernel.MountFlags;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The options of {@code -o}: those of every file system, ours, and those of fstab(5) that only mean
 * something to mount(8) and systemd, which are ignored.
 */
final class MountOptions {
  private static final Set<String> OURS =
      Set.of(
          "timeout",
          "driver",
          "tls-cert",
          "tls-key",
          "tls-ca",
          "insecure-loopback",
          "log",
          "memory");

  private static final Set<String> IGNORED =
      Set.of(
          "defaults",
          "auto",
          "noauto",
          "user",
          "nouser",
          "users",
          "owner",
          "group",
          "nofail",
          "_netdev",
          "allow_other",
          "default_permissions",
          "silent",
          "loud");

  private final List<String> flags = new ArrayList<>();
  private final Map<String, String> ours = new LinkedHashMap<>();

  /**
   * Reads comma-separated options, each list in its turn.
   *
   * @throws IllegalArgumentException for an option that nobody knows
   */
  static MountOptions parse(List<String> lists) {
    var options = new MountOptions();
    for (String list : lists) {
      for (String option : Splitter.on(',').omitEmptyStrings().trimResults().split(list)) {
        options.add(option);
      }
    }
    return options;
  }

  private void add(String option) {
    int equals = option.indexOf('=');
    String name = equals < 0 ? option : option.substring(0, equals);
    if (equals < 0 && MountFlags.isFlag(option)) {
      flags.add(option);
    } else if (OURS.contains(name)) {
      ours.put(name, equals < 0 ? "" : option.substring(equals + 1));
    } else if (!IGNORED.contains(name) && !name.startsWith("x-") && !name.equals("comment")) {
      throw new IllegalArgumentException(
          "unknown mount option '%s': besides ro, nosuid and the like there are timeout=SECONDS, memory=SIZE, driver=, tls-cert=, tls-key=, tls-ca= and insecure-loopback"
              .formatted(option));
    }
  }

  /** The flags in the order given. */
  List<String> flags() {
    return List.copyOf(flags);
  }

  /** The value of one of our options; empty text for one that was given without. */
  Optional<String> value(String name) {
    return Optional.ofNullable(ours.get(name));
  }

  /** {@code timeout=SECONDS}, or {@code otherwise}. */
  Duration timeout(Duration otherwise) {
    String text = ours.get("timeout");
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("[1-9]\\d{0,5}")) {
      throw new IllegalArgumentException(
          "timeout=%s: write a number of seconds from 1 on".formatted(text));
    }
    return Duration.ofSeconds(Long.parseLong(text));
  }
}
