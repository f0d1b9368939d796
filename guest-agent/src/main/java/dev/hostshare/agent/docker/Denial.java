package dev.hostshare.agent.docker;

import java.util.List;
import java.util.stream.Collectors;

/** What a user is told instead of getting a container, in Docker Desktop's words. */
final class Denial {
  private static final String TITLE = "Mounts denied: ";

  /** More than these are counted only: the message is one of the terminal. */
  private static final int NAMED = 10;

  /** As much of a path as a message repeats. */
  private static final int LONGEST = 500;

  /**
   * A path that is not shared.
   *
   * @param path as the request names it
   * @param target where it leads, without symbolic links and {@code ..}
   */
  record Unshared(String path, String target) {
    String sentence() {
      String sentence =
          "The path " + shown(path) + " is not shared from the host and is not known to Docker";
      return target.equals(Location.clean(path))
          ? sentence + "."
          : sentence + ": it leads to " + shown(target) + ".";
    }
  }

  private Denial() {}

  /** One line for each path, then what to do. */
  static String of(List<Unshared> paths) {
    String sentences =
        paths.stream().limit(NAMED).map(Unshared::sentence).collect(Collectors.joining("\n"));
    if (paths.size() > NAMED) {
      sentences += "\nSo are " + (paths.size() - NAMED) + " more.";
    }
    String commands =
        paths.stream()
            .map(path -> "`hostshare shares add " + quoted(path.target()) + "`")
            .distinct()
            .limit(NAMED)
            .collect(Collectors.joining(", "));
    return TITLE
        + sentences
        + "\nYou can share "
        + (paths.size() == 1 ? "it" : "them")
        + " with "
        + commands
        + " on the host, or on the page that `hostshare settings` opens.";
  }

  /** For what was not found to be shared, since it could not be looked at. */
  static String uncheckable(String reason) {
    return TITLE + "it cannot be checked what this would bind: " + shown(reason) + ".";
  }

  /** As a shell takes it. */
  private static String quoted(String path) {
    String shown = shown(path);
    return shown.matches("[\\w@%+=:,./-]+") ? shown : "'" + shown.replace("'", "'\\''") + "'";
  }

  /** On one line, without what a terminal would act upon. */
  static String shown(String text) {
    var shown = new StringBuilder();
    text.codePoints()
        .limit(LONGEST)
        .forEach(
            c -> {
              boolean printable =
                  switch (Character.getType(c)) {
                    case Character.CONTROL,
                        Character.FORMAT,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.SURROGATE ->
                        false;
                    default -> true;
                  };
              if (printable) {
                shown.appendCodePoint(c);
              } else {
                shown.append("\\u%04x".formatted(c));
              }
            });
    return text.codePointCount(0, text.length()) > LONGEST ? shown + "..." : shown.toString();
  }
}
