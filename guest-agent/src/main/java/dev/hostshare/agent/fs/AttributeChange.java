package dev.hostshare.agent.fs;

/**
 * What a setattr changes. A null field stays as it is.
 *
 * @param handle an open file through which it is done (ftruncate), 0 for none
 * @param mode permission bits, 07777
 * @param killSuidgid whether setuid, setgid and security.capability are to be cleared as Linux does
 *     for an unprivileged writer
 */
public record AttributeChange(
    long handle,
    Integer mode,
    Integer uid,
    Integer gid,
    Long size,
    Timestamp atime,
    Timestamp mtime,
    boolean killSuidgid) {

  /** A point in time, or the server's present one. */
  public record Timestamp(boolean now, long seconds, int nanos) {
    /** UTIME_NOW. */
    public static final Timestamp NOW = new Timestamp(true, 0, 0);
  }
}
