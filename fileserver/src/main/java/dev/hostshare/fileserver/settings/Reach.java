package dev.hostshare.fileserver.settings;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where guests can change what is there: in the folders that they may write to. */
final class Reach {
  /** By where they really are, as they are called on the list. */
  private final Map<Path, Path> folders = new LinkedHashMap<>();

  /** Of a list with what is in force of it. */
  Reach(List<SharedFolder> list) {
    for (SharedFolder folder : list) {
      if (folder.enabled() && !folder.readOnly()) {
        try {
          folders.put(folder.path().toRealPath(), folder.path());
        } catch (IOException e) {
          // Not there, or not to be had: no guest can be in it.
          folders.remove(folder.path());
        }
      }
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
