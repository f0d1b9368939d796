package dev.hostshare.fileserver.settings;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Where a path leads.
 *
 * @param end without symbolic links
 * @param links those it goes through, each with the folder that it really lies in
 */
record Way(Path end, List<Path> links) {
  /** Linux's own limit (path_resolution(7)). */
  private static final int MAX_LINKS = 40;

  /**
   * Follows an absolute path.
   *
   * @throws java.nio.file.NoSuchFileException if it leads nowhere
   * @throws IOException if that cannot be found out
   */
  static Way of(Path path) throws IOException {
    List<Path> links = new ArrayList<>();
    Deque<Path> ahead = new ArrayDeque<>();
    path.forEach(ahead::add);
    Path at = path.getRoot();
    while (!ahead.isEmpty()) {
      Path name = ahead.remove();
      if (name.toString().isEmpty() || name.toString().equals(".")) {
        continue;
      }
      if (name.toString().equals("..")) {
        at = at.getParent() == null ? at : at.getParent();
        continue;
      }
      Path next = at.resolve(name);
      var attributes =
          Files.readAttributes(next, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (!attributes.isSymbolicLink()) {
        if (!attributes.isDirectory() && !ahead.isEmpty()) {
          throw new NotDirectoryException(next.toString());
        }
        at = next;
        continue;
      }
      links.add(next);
      if (links.size() > MAX_LINKS) {
        throw new FileSystemLoopException(path.toString());
      }
      Path target = Files.readSymbolicLink(next);
      for (int i = target.getNameCount() - 1; i >= 0; i--) {
        ahead.addFirst(target.getName(i));
      }
      if (target.isAbsolute()) {
        at = target.getRoot();
      }
    }
    return new Way(at.toRealPath(), links); // in the case of its names, where that does not count
  }
}
