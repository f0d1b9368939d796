package dev.hostshare.fileserver.overlay;

import dev.hostshare.fileserver.host.FileId;

/**
 * What a guest has set on one file. Immutable.
 *
 * @param uid owner, or {@link #ABSENT}
 * @param gid group, or {@link #ABSENT}
 * @param mode permission bits (07777), or {@link #ABSENT}
 * @param type S_IFMT bits of a special file for which the host has an empty placeholder, or 0
 * @param rdev device number of a special file, packed as makedev(3)
 * @param hasXattrs whether extended attributes are stored
 * @param parent directory in which the file was last seen, or null
 * @param name the name it had there, or null
 * @param path the host path at that time, for people; a hint only: null if it is longer than {@link
 *     #MAX_PATH}, since many are kept in memory
 */
public record OverlayRecord(
    int uid,
    int gid,
    int mode,
    int type,
    long rdev,
    boolean hasXattrs,
    FileId parent,
    byte[] name,
    String path) {

  public static final int MAX_PATH = 1024;

  /** (uid_t) -1: the one id that no file can have (chown(2)). */
  public static final int ABSENT = -1;

  static final OverlayRecord EMPTY =
      new OverlayRecord(ABSENT, ABSENT, ABSENT, 0, 0, false, null, null, null);

  public OverlayRecord {
    if (path != null && path.length() > MAX_PATH) {
      path = null;
    }
  }

  /** Bytes of memory, more or less. */
  int weight() {
    return 150 + (name == null ? 0 : name.length) + (path == null ? 0 : path.length());
  }

  public boolean hasUid() {
    return uid != ABSENT;
  }

  public boolean hasGid() {
    return gid != ABSENT;
  }

  public boolean hasMode() {
    return mode != ABSENT;
  }

  public boolean isSpecial() {
    return type != 0;
  }

  /** True if nothing is set: such a record is not kept. */
  boolean isVoid() {
    return !hasUid() && !hasGid() && !hasMode() && !isSpecial() && !hasXattrs;
  }

  OverlayRecord withXattrs(boolean present) {
    return new OverlayRecord(uid, gid, mode, type, rdev, present, parent, name, path);
  }

  OverlayRecord seenAt(Place place) {
    return place == null
        ? this
        : new OverlayRecord(
            uid, gid, mode, type, rdev, hasXattrs, place.parent(), place.name(), place.path());
  }

  OverlayRecord nowhere() {
    return new OverlayRecord(uid, gid, mode, type, rdev, hasXattrs, null, null, path);
  }
}
