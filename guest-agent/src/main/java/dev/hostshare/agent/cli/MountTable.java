package dev.hostshare.agent.cli;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What is mounted where, as this process sees it.
 *
 * <p>Source: {@code /proc/self/mountinfo}, proc(5).
 */
final class MountTable {

  /** The type of our mounts, whichever driver made them. */
  static final String TYPE = "fuse.hostshare";

  private static final Path FILE = Path.of("/proc/self/mountinfo");

  /** One mount; {@code source} is the share for ours. */
  record Mount(Path mountPoint, String type, String source) {
    boolean isOurs() {
      return type.equals(TYPE);
    }
  }

  private MountTable() {}

  /** The topmost mount on {@code mountPoint}. */
  static Optional<Mount> at(Path mountPoint) throws IOException {
    return all().stream()
        .filter(mount -> mount.mountPoint().equals(mountPoint))
        .reduce((first, second) -> second);
  }

  /** All mounts, in the order in which they were made. */
  static List<Mount> all() throws IOException {
    // Names are bytes; Latin-1 keeps each as it is until the escapes are undone.
    return Files.readAllLines(FILE, StandardCharsets.ISO_8859_1).stream()
        .map(MountTable::parse)
        .toList();
  }

  /**
   * Whether a mount is one of ours that is still in the tree.
   *
   * @param id as {@code mnt_id} in /proc/PID/fdinfo
   */
  static boolean isOurs(int id) throws IOException {
    String start = id + " ";
    for (String line : Files.readAllLines(FILE, StandardCharsets.ISO_8859_1)) {
      if (line.startsWith(start)) {
        return type(Splitter.on(' ').splitToList(line)).equals(TYPE);
      }
    }
    return false;
  }

  /**
   * Reads a line: {@code 36 35 98:0 /root /mount/point options optional... - type source super}.
   * There are any number of optional fields, so what follows is found by the dash.
   */
  static Mount parse(String line) {
    List<String> fields = Splitter.on(' ').splitToList(line);
    int dash = fields.indexOf("-");
    return new Mount(
        Path.of(unescape(fields.get(4))), type(fields), unescape(fields.get(dash + 2)));
  }

  private static String type(List<String> fields) {
    return fields.get(fields.indexOf("-") + 1);
  }

  /**
   * Undoes the kernel's octal escapes of space, tab, newline and backslash; the bytes are UTF-8.
   */
  private static String unescape(String field) {
    var bytes = new byte[field.length()];
    int length = 0;
    for (int i = 0; i < field.length(); i++) {
      char c = field.charAt(i);
      if (c == '\\' && i + 3 < field.length()) {
        bytes[length++] = (byte) Integer.parseInt(field.substring(i + 1, i + 4), 8);
        i += 3;
      } else {
        bytes[length++] = (byte) c;
      }
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
