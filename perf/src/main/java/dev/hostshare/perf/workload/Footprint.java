package dev.hostshare.perf.workload;

/**
 * What a workload's files take.
 *
 * @param files which: workloads with the same name here share them
 * @param bytes on a disk with blocks of 4 KiB
 * @param inodes files and folders
 */
public record Footprint(String files, long bytes, long inodes) {
  static final Footprint NONE = new Footprint("none", 0, 0);

  /** Files of at most 4 KiB each, in folders of 100. */
  static Footprint ofSmallFiles(String name, long count) {
    long inodes = count + count / Scale.PER_FOLDER + 1;
    return new Footprint(name, inodes * Content.PAGE, inodes);
  }
}
