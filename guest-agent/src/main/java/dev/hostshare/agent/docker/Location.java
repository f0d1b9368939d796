package dev.hostshare.agent.docker;

import com.google.common.base.Splitter;
import dev.hostshare.agent.kernel.Libc;
import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * Where a path leads.
 *
 * @param path with every symbolic link followed, as the kernel names it; what does not exist yet is
 *     appended as it is
 * @param mountId the mount that what exists of it lies on, as in /proc/self/mountinfo
 */
record Location(String path, int mountId) {
  /** As many symbolic links as the kernel follows in one path. */
  private static final int MOST_LINKS = 40;

  /**
   * Finds out where the kernel gets to with a path. May wait for a mount's server.
   *
   * @param path absolute
   * @throws UncheckableException if the kernel does not get there for another reason than that it
   *     does not exist
   */
  static Location of(String path) throws UncheckableException {
    String existing = path;
    String missing = "";
    int links = 0;
    while (true) {
      int fd = Libc.openat2(existing, Libc.O_PATH | Libc.O_CLOEXEC, Libc.RESOLVE_NO_MAGICLINKS);
      if (fd >= 0) {
        Location found = opened(fd, path);
        String whole = below(found.path(), missing);
        String clean = clean(whole);
        if (clean.equals(whole)) {
          return new Location(whole, found.mountId());
        }
        // .. below what does not exist: the kernel gets nowhere, the engine takes it back by name.
        existing = clean;
        missing = "";
      } else if (-fd != Errno.ENOENT && -fd != Errno.ENOTDIR) {
        throw uncheckable(path, -fd);
      } else {
        Optional<String> target = Libc.readlink(existing);
        int slash = existing.lastIndexOf('/');
        if (target.isPresent()) {
          // A link to what does not exist: go on from where it leads.
          String to = target.get();
          existing = to.startsWith("/") ? to : existing.substring(0, slash) + "/" + to;
        } else {
          missing = below(existing.substring(slash + 1), missing);
          existing = slash == 0 ? "/" : existing.substring(0, slash);
          continue;
        }
      }
      if (++links > MOST_LINKS) {
        throw uncheckable(path, Errno.ELOOP);
      }
    }
  }

  /** Whether this is {@code folder} or lies below it; both without links. */
  boolean isIn(String folder) {
    return folder.equals("/") || path.equals(folder) || path.startsWith(folder + "/");
  }

  /** Takes out empty and {@code .} segments, and each {@code ..} with the one before it. */
  static String clean(String path) {
    var segments = new ArrayDeque<String>();
    for (String segment : Splitter.on('/').split(path)) {
      if (segment.equals("..")) {
        segments.pollLast();
      } else if (!segment.isEmpty() && !segment.equals(".")) {
        segments.addLast(segment);
      }
    }
    return "/" + String.join("/", segments);
  }

  private static String below(String folder, String rest) {
    if (folder.isEmpty() || rest.isEmpty()) {
      return folder + rest;
    }
    return folder.endsWith("/") ? folder + rest : folder + "/" + rest;
  }

  private static Location opened(int fd, String path) throws UncheckableException {
    try {
      String name = Libc.readlink("/proc/self/fd/" + fd).orElse("");
      for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd))) {
        if (line.startsWith("mnt_id:")) {
          return new Location(name, Integer.parseInt(line.substring("mnt_id:".length()).strip()));
        }
      }
      throw new UncheckableException("the kernel does not tell where " + path + " is mounted");
    } catch (IOException e) {
      throw new UncheckableException("the kernel does not tell where " + path + " lies");
    } finally {
      Libc.close(fd);
    }
  }

  private static UncheckableException uncheckable(String path, int errno) {
    return new UncheckableException(
        "the path " + path + " cannot be followed (" + Errno.name(errno) + ")");
  }
}
