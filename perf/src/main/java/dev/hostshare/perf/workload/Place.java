package dev.hostshare.perf.workload;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Where workloads are done: a folder, and the files that they keep in it. Nothing is made before a
 * workload prepares it.
 */
public final class Place implements AutoCloseable {
  private final Path folder;
  private final Optional<Path> peer;
  private final Scale scale;
  private final Material material;
  private final Content content;
  private final Arena arena = Arena.ofShared();
  private final Map<String, Object> kept = new HashMap<>();

  /**
   * A place in which nothing is yet.
   *
   * @param folder is there, and empty
   * @param peer the same folder, seen from elsewhere
   * @param material what programs work on
   * @param seed of all that is written
   */
  public Place(Path folder, Optional<Path> peer, Scale scale, Material material, long seed) {
    this.folder = folder;
    this.peer = peer;
    this.scale = scale;
    this.material = material;
    content = new Content(seed);
  }

  Path folder() {
    return folder;
  }

  Path peer() throws UnavailableException {
    return peer.orElseThrow(
        () ->
            new UnavailableException(
                "needs the same folder seen from elsewhere: --target NAME=DIR,peer=DIR_B"));
  }

  Scale scale() {
    return scale;
  }

  Material material() {
    return material;
  }

  /** Of the files with this name. */
  Content content(String name) {
    return content.of(name.hashCode());
  }

  /** For buffers and paths; as long as the place. */
  Arena arena() {
    return arena;
  }

  /** What one family keeps under a name: made when it is first asked for. */
  <T> T keep(Class<T> type, String name, Function<Place, T> make) {
    return type.cast(kept.computeIfAbsent(name, _ -> make.apply(this)));
  }

  /** Ends what runs in it, and gives memory back. The files stay. */
  @Override
  public void close() throws IOException {
    IOException first = null;
    for (Object one : kept.values()) {
      if (one instanceof Running running) {
        try {
          running.end();
        } catch (IOException e) {
          first = first == null ? e : first;
        }
      }
    }
    arena.close();
    if (first != null) {
      throw first;
    }
  }

  /** Something that does not end by itself. */
  interface Running {
    void end() throws IOException;
  }
}
