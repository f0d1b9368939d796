package dev.hostshare.agent.fs;

import com.google.common.base.CharMatcher;
import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The supplementary groups of a process, which the FUSE protocol does not carry.
 *
 * <p>Source: the {@code Groups:} line of {@code /proc/PID/status}, proc(5). A process that is gone,
 * or that is not in our pid namespace, has none: it is then judged by its uid and gid alone.
 */
final class SupplementaryGroups {
  private static final String FIELD = "Groups:";
  private static final Splitter WORDS = Splitter.on(CharMatcher.whitespace()).omitEmptyStrings();

  private SupplementaryGroups() {}

  static List<Integer> of(int pid) {
    if (pid <= 0) {
      return List.of();
    }
    try {
      for (String line :
          Files.readAllLines(
              Path.of("/proc", Integer.toString(pid), "status"), StandardCharsets.ISO_8859_1)) {
        if (line.startsWith(FIELD)) {
          return parse(line.substring(FIELD.length()));
        }
      }
    } catch (IOException e) {
      return List.of(); // it ended; its request will be answered to nobody
    }
    return List.of();
  }

  private static List<Integer> parse(String text) {
    var groups = new ArrayList<Integer>();
    for (String word : WORDS.split(text)) {
      groups.add(Integer.parseUnsignedInt(word));
    }
    return groups;
  }
}
