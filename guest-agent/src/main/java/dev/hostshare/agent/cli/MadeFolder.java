package dev.hostshare.agent.cli;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.util.Optional;

/**
 * A folder that was made to be mounted on, and is to go again.
 *
 * <p>A path leads elsewhere once something is mounted above it, and in a writable share that is the
 * host's folder. So a folder is removed through the parent that it was made in, both known by
 * device and inode.
 */
final class MadeFolder {
  private final Path parent;
  private final Path name;
  private final Object parentKey;
  private final Object key;

  private MadeFolder(Path parent, Path name, Object parentKey, Object key) {
    this.parent = parent;
    this.name = name;
    this.parentKey = parentKey;
    this.key = key;
  }

  /**
   * Makes a folder, and what is missing above it, which stays.
   *
   * @param path absolute, not the root
   * @return empty if there is a folder already
   * @throws IOException if it cannot be made
   */
  static Optional<MadeFolder> make(Path path) throws IOException {
    Path parent = path.getParent();
    Files.createDirectories(parent);
    try {
      Files.createDirectory(path);
    } catch (FileAlreadyExistsException e) {
      if (Files.isDirectory(path)) {
        return Optional.empty();
      }
      throw e;
    }
    Path name = path.getFileName();
    try (SecureDirectoryStream<Path> in = open(parent)) {
      return Optional.of(new MadeFolder(parent, name, key(in), key(in, name)));
    }
  }

  /**
   * Removes it, unless something hides it: a mount on it or above it.
   *
   * @return false if it is hidden, or if another folder was put in its place
   * @throws java.nio.file.DirectoryNotEmptyException if something is in it
   */
  boolean remove() throws IOException {
    try (SecureDirectoryStream<Path> in = open(parent)) {
      if (!key(in).equals(parentKey)) {
        return false;
      }
      try {
        if (!key(in, name).equals(key)) {
          return false;
        }
        in.deleteDirectory(name);
      } catch (NoSuchFileException e) {
        // somebody else removed it
      }
      return true;
    } catch (NoSuchFileException e) {
      return false; // what is mounted above it has no such folder
    }
  }

  /** To be closed by the caller. Linux's are of this kind. */
  @SuppressWarnings("StreamResourceLeak")
  private static SecureDirectoryStream<Path> open(Path folder) throws IOException {
    return (SecureDirectoryStream<Path>) Files.newDirectoryStream(folder);
  }

  private static Object key(SecureDirectoryStream<Path> folder) throws IOException {
    return folder.getFileAttributeView(BasicFileAttributeView.class).readAttributes().fileKey();
  }

  private static Object key(SecureDirectoryStream<Path> folder, Path name) throws IOException {
    return folder
        .getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .readAttributes()
        .fileKey();
  }
}
