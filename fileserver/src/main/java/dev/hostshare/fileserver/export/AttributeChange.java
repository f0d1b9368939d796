package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.HostStat;

/**
 * What setattr sets; null is left as it is.
 *
 * @param mode permission bits, 07777
 * @param size bytes
 * @param atime may be {@link dev.hostshare.fileserver.host.HostFs#NOW}
 * @param mtime likewise
 * @param killSuidgid clear setuid, setgid and security.capability as for an unprivileged writer
 */
public record AttributeChange(
    Integer mode,
    Integer uid,
    Integer gid,
    Long size,
    HostStat.Time atime,
    HostStat.Time mtime,
    boolean killSuidgid) {

  boolean changesOwner() {
    return uid != null || gid != null;
  }

  boolean changesTimes() {
    return atime != null || mtime != null;
  }
}
