package dev.hostshare.perf.machine;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a folder lies on: a line of /proc/self/mountinfo, see proc(5).
 *
 * @param point where it is mounted
 * @param type of the file system
 * @param source what is mounted
 * @param options of the mount and of its file system
 */
public record Mount(String point, String type, String source, String options) {
  private static final Splitter FIELDS = Splitter.on(' ');
  private static final int POINT = 4;
  private static final int OPTIONS = 5;

  /** The mount that a folder is in. */
  public static Mount of(Path folder) throws IOException {
    Path real = folder.toRealPath();
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
      // Of several at the same place, the last one is on top.
      return lines
          .map(Mount::parse)
          .filter(mount -> real.startsWith(mount.point()))
          .reduce((a, b) -> b.point().length() >= a.point().length() ? b : a)
          .orElseThrow(() -> new IOException("no mount is known for " + folder));
    }
  }

  private static Mount parse(String line) {
    List<String> fields = FIELDS.splitToList(line);
    int end = fields.indexOf("-");
    return new Mount(
        unescape(fields.get(POINT)),
        fields.get(end + 1),
        unescape(fields.get(end + 2)),
        unescape(fields.get(OPTIONS) + "; " + fields.get(end + 3)));
  }

  /** Blanks and backslashes are octal. */
  private static String unescape(String field) {
    var text = new StringBuilder();
    for (int i = 0; i < field.length(); i++) {
      if (field.charAt(i) == '\\' && i + 3 < field.length()) {
        text.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
        i += 3;
      } else {
        text.append(field.charAt(i));
      }
    }
    return text.toString();
  }
}
