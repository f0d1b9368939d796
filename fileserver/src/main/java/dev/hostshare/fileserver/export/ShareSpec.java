package dev.hostshare.fileserver.export;

import java.nio.file.Path;

/**
 * What to share: a folder of the host, how, and whose its unrecorded objects are.
 *
 * @param path absolute, normalised
 */
public record ShareSpec(Path path, boolean readOnly, OwnerPolicy owner) {

  /** As {@link #parse} reads it. */
  public String text() {
    return path + (readOnly ? ",ro" : "") + ",owner=" + owner.text();
  }

  /**
   * Reads {@code DIR[,ro][,rw][,owner=host|caller|UID:GID]}.
   *
   * @param defaultOwner where the text names none
   * @throws IllegalArgumentException naming what is wrong
   */
  public static ShareSpec parse(String text, OwnerPolicy defaultOwner) {
    String[] parts = text.split(",", -1);
    boolean readOnly = false;
    OwnerPolicy owner = defaultOwner;
    // A folder whose name has a comma: options are read from the end, as long as they are options.
    int last = parts.length;
    while (last > 1) {
      String option = parts[last - 1];
      if (option.equals("ro")) {
        readOnly = true;
      } else if (option.startsWith("owner=")) {
        owner = OwnerPolicy.parse(option.substring("owner=".length()));
      } else if (!option.equals("rw")) {
        break;
      }
      last--;
    }
    String dir = String.join(",", java.util.Arrays.copyOf(parts, last));
    if (dir.isEmpty()) {
      throw new IllegalArgumentException("share '" + text + "' names no folder");
    }
    Path path = Path.of(dir);
    if (!path.isAbsolute()) {
      throw new IllegalArgumentException(
          "share '"
              + dir
              + "' is not an absolute path; write "
              + path.toAbsolutePath().normalize());
    }
    return new ShareSpec(path.normalize(), readOnly, owner);
  }
}
