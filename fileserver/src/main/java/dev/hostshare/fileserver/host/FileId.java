package dev.hostshare.fileserver.host;

/**
 * The identity of a file, which outlives its names and the server. Inode numbers are reused at once
 * by ext4, so the birth time is part of it.
 *
 * @param volume the overlay store's number for the file system
 * @param inode the inode number
 * @param birth birth time in nanoseconds since the epoch; 0 on a volume that does not record it,
 *     where a reused inode number cannot be told from the old file
 */
public record FileId(int volume, long inode, long birth) {

  /** A well-mixed 64-bit hash, for compact sets of identities. */
  public long hash64() {
    return mix(mix(inode * 0x9E3779B97F4A7C15L + volume) ^ birth);
  }

  /** The same for a name in the directory that has this identity. */
  public long hash64(byte[] name) {
    long h = hash64();
    for (byte b : name) {
      h = (h ^ b) * 0x100000001B3L;
    }
    return mix(h);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(hash64());
  }

  /**
   * The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
   * Generators).
   */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
