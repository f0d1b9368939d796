package dev.hostshare.perf.mount;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The disk itself. */
public record PlainFolder(String name, Path folder) implements Target {
  /**
   * Makes the folder.
   *
   * @param work a folder of its own
   */
  public static PlainFolder make(String name, Path work) throws IOException {
    return new PlainFolder(name, Files.createDirectory(work.resolve("folder")));
  }

  @Override
  public Path backing() {
    return folder;
  }

  @Override
  public String version() throws IOException {
    return Files.getFileStore(folder).type();
  }

  @Override
  public void start() {}

  @Override
  public void stop() {}

  @Override
  public void close() {}
}
