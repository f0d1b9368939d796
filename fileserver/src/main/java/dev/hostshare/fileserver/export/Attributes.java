package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.proto.Linux;

/**
 * What the guest sees of a file: the host's attributes, field by field replaced by the overlay's.
 *
 * @param inode unique in the share
 * @param mode type and permission bits
 * @param rdev packed as makedev(3)
 * @param hasXattrs whether the overlay has extended attributes of it
 * @param watched whether the guest will be told when any of this, or the content, is changed by
 *     others
 * @param stat the host's size, times, link count
 */
public record Attributes(
    FileId id,
    long inode,
    int mode,
    int uid,
    int gid,
    long rdev,
    boolean hasXattrs,
    boolean watched,
    HostStat stat) {

  Attributes withWatched(boolean isWatched) {
    return isWatched == watched
        ? this
        : new Attributes(id, inode, mode, uid, gid, rdev, hasXattrs, isWatched, stat);
  }

  int type() {
    return mode & Linux.S_IFMT;
  }

  int permissions() {
    return mode & Linux.PERMISSIONS;
  }

  boolean isDirectory() {
    return type() == Linux.S_IFDIR;
  }
}
