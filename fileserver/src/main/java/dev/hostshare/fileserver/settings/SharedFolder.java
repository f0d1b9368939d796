package dev.hostshare.fileserver.settings;

import static com.google.common.base.Preconditions.checkArgument;

import dev.hostshare.fileserver.export.OwnerPolicy;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * A line of the list, as its user put it there.
 *
 * @param path absolute and normalised; symbolic links in it are kept
 * @param enabled false: kept on the list, and not shared
 * @param note the user's own words
 */
public record SharedFolder(
    Path path, boolean readOnly, OwnerPolicy owner, boolean enabled, String note) {

  /** PATH_MAX of Linux, less its NUL. */
  private static final int MAX_PATH = 4095;

  private static final int MAX_NOTE = 1000;

  public SharedFolder {
    checkArgument(
        note.length() <= MAX_NOTE,
        "the note has %s characters, and may have %s",
        note.length(),
        MAX_NOTE);
  }

  /**
   * Reads a path as people write it.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  public static Path parsePath(String text) {
    checkArgument(!text.isEmpty(), "the path is empty");
    checkArgument(text.length() <= MAX_PATH, "the path has more than %s characters", MAX_PATH);
    Path path;
    try {
      path = Path.of(text);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(
          "'" + printable(text) + "' is no path: " + e.getReason(), e);
    }
    checkArgument(
        path.isAbsolute(), "'%s' is not an absolute path: it has to begin with /", printable(text));
    return path.normalize();
  }

  /** As it can be shown on a terminal. */
  static String printable(String text) {
    String shortened = text.length() > 200 ? text.substring(0, 200) + "..." : text;
    return shortened.replaceAll("\\p{Cntrl}", "?");
  }

  SharedFolder with(boolean nextReadOnly, OwnerPolicy nextOwner) {
    return new SharedFolder(path, nextReadOnly, nextOwner, enabled, note);
  }
}
