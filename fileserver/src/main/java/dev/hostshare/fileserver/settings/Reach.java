package dev.hostshare.fileserver.settings;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where guests can change what is there: in the folders that they may write to. */
final class Reach {
  /** By where they really are, as they are called on the list. */
  private final Map<Path, Path> folders = new LinkedHashMap<>();

  /** Of a list with what is in force of it. */
  Reach(List<SharedFolder> list) {
    for (SharedFolder folder : list) {
      if (folder.enabled() && !folder.readOnly()) {
        real(folder.path()).ifPresent(real -> folders.put(real, folder.path()));
      }
    }
  }

  private static Optional<Path> real(Path path) {
    try {
      return Optional.of(path.toRealPath());
    } catch (IOException e) {
      return Optional.empty(); // not there, or not to be had: nothing leads through it, either
    }
  }

  /** The share in which {@code real}, which has no symbolic links, lies; null if in none. */
  Path holding(Path real) {
    for (Map.Entry<Path, Path> e : folders.entrySet()) {
      if (real.startsWith(e.getKey())) {
        return e.getValue();
      }
    }
    return null;
  }
}
