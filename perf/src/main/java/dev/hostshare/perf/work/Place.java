package dev.hostshare.perf.work;

import java.lang.foreign.Arena;
import java.nio.file.Path;

/**
 * Where works are done: a folder, and what they keep in it. Nothing is made before a work prepares
 * it.
 */
public final class Place {
  /** For buffers and paths, which a place keeps until the program ends. */
  private static final Arena ARENA = Arena.global();

  private final Path folder;
  private final SmallFiles files;
  private final SmallFiles changing;
  private final BigFile big;
  private final BigFile overwritten;
  private final Programs programs;
  private final Database database;

  private Place(Path folder, int files, long size, Programs programs) {
    this.folder = folder;
    this.files = new SmallFiles(folder.resolve("files"), files, ARENA);
    changing = new SmallFiles(folder.resolve("changing"), files, ARENA);
    big = new BigFile(folder.resolve("big"), size, ARENA);
    overwritten = new BigFile(folder.resolve("overwritten"), size, ARENA);
    this.programs = programs;
    database = new Database(folder);
  }

  /**
   * A place in which nothing is yet.
   *
   * @param folder where the files are seen; made when the first is
   * @param backing the same folder on the disk
   * @param files how many small files; a multiple of 100
   * @param size of the big files, in bytes
   * @param material what programs work on
   */
  public static Place of(Path folder, Path backing, int files, long size, Material material) {
    return new Place(folder, files, size, new Programs(folder, backing, material));
  }

  public Path folder() {
    return folder;
  }

  /** Files that stay as they are. */
  SmallFiles files() {
    return files;
  }

  /** Files that are made, changed and removed. */
  SmallFiles changing() {
    return changing;
  }

  /** Always has the content that {@link BigFile#write} gives it. */
  BigFile big() {
    return big;
  }

  /** Has pages of other content. */
  BigFile overwritten() {
    return overwritten;
  }

  Programs programs() {
    return programs;
  }

  Database database() {
    return database;
  }
}
