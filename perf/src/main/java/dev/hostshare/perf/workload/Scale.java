package dev.hostshare.perf.workload;

import static com.google.common.base.Preconditions.checkArgument;

/**
 * How much there is of everything. All follows the big file's size: 512 MiB go with 4,000 small
 * files and a folder of 100,000.
 *
 * @param size of the big file, in bytes; whole MiB
 * @param files small files; a multiple of 100
 * @param crowd files in the one folder that has many
 */
public record Scale(long size, int files, int crowd) {
  public static final int MIB = 1 << 20;
  public static final int PER_FOLDER = 100;
  private static final long STANDARD_SIZE = 512L * MIB;
  private static final int STANDARD_FILES = 4000;
  private static final int MOST_FILES = 1_000_000;

  /** Checks that sizes can be divided as they must be. */
  public Scale {
    checkArgument(size >= MIB && size % MIB == 0, "size (%s) must be whole MiB", size);
    checkArgument(
        files >= PER_FOLDER && files % PER_FOLDER == 0 && files <= MOST_FILES,
        "files (%s) must be a multiple of %s, at most %s",
        files,
        PER_FOLDER,
        MOST_FILES);
  }

  /** The number of files that goes with a size. */
  public static Scale ofSize(long size) {
    long files = Math.round(STANDARD_FILES * (double) size / STANDARD_SIZE / PER_FOLDER);
    return of(size, Math.clamp(files, 1, MOST_FILES / PER_FOLDER) * PER_FOLDER);
  }

  /** With the crowd that goes with the files. */
  public static Scale of(long size, int files) {
    return new Scale(size, files, files * 25);
  }

  /** At most so much: for practice on other files. */
  public Scale atMost(Scale other) {
    return new Scale(
        Math.min(size, other.size), Math.min(files, other.files), Math.min(crowd, other.crowd));
  }

  /** How often something is done at random places of the big file. */
  int operations(int atStandard) {
    double share = (double) size / STANDARD_SIZE;
    return (int) (atStandard * Math.clamp(share, 1.0 / 16, 1));
  }

  /** Of a source tree that programs unpack, read and remove. */
  int sources() {
    return files * 5 / 4;
  }

  /** Of the large repository that git looks through. */
  int repository() {
    return files * 25 / 2;
  }

  /** Of the large tree that find(1) walks. */
  int found() {
    return files * 25;
  }

  /** Of a node_modules-like tree. */
  int modules() {
    return files * 5 / 2;
  }
}
