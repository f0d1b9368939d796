package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.overlay.RecordChange;
import dev.hostshare.proto.Linux;

/**
 * The owner, group, mode and ACLs of a new object, as Linux gives them (inode_init_owner and
 * posix_acl_create), and what of that goes to the host and what to the overlay.
 */
final class Creation {
  private final int type;
  private final int mode;
  private final Integer uid;
  private final Integer gid;
  private final PosixAcl access;
  private final PosixAcl inheritedDefault;
  private final long rdev;

  /**
   * Works out what a new object gets.
   *
   * @param dir the parent's attributes
   * @param mode type and permission bits, as the caller gave them
   */
  Creation(
      ExportSession session,
      Export export,
      Attributes dir,
      int mode,
      int umask,
      long rdev,
      Caller caller)
      throws ErrnoException {
    this.type = (mode & Linux.S_IFMT) == 0 ? Linux.S_IFREG : mode & Linux.S_IFMT;
    this.rdev = rdev;
    boolean symlink = type == Linux.S_IFLNK;
    PosixAcl inherited = symlink ? null : session.xattrs().acl(dir.id(), PosixAcl.DEFAULT);
    int permissions = mode & Linux.PERMISSIONS;
    if (inherited == null) {
      access = null;
      inheritedDefault = null;
      permissions &= ~umask;
    } else {
      PosixAcl acl = inherited.forCreation(permissions);
      permissions = (permissions & ~0777) | (acl.toMode() & 0777);
      access = acl.isMinimal() ? null : acl;
      inheritedDefault = type == Linux.S_IFDIR ? inherited : null;
    }
    boolean groupOfDir = (dir.mode() & Linux.S_ISGID) != 0;
    if (groupOfDir && type == Linux.S_IFDIR) {
      permissions |= Linux.S_ISGID;
    }
    this.mode = permissions;
    // Where whoever asks owns what has no record, a new object needs none.
    boolean recordOwner = caller.known() && !export.ownedByCaller();
    this.uid = recordOwner ? (Integer) caller.uid() : null;
    if (groupOfDir) {
      this.gid = dir.gid();
    } else {
      this.gid = recordOwner ? (Integer) caller.gid() : null;
    }
  }

  /** The mode for the host: what was asked for, but the server must be able to serve it. */
  int hostMode() {
    if (type == Linux.S_IFDIR) {
      return (mode & 0777) | 0700;
    }
    return isSpecial() ? 0600 : (mode & 0777) | 0600;
  }

  boolean isSpecial() {
    return type != Linux.S_IFREG && type != Linux.S_IFDIR && type != Linux.S_IFLNK;
  }

  /** What the overlay has to say of the object that was made, whose own attributes are these. */
  RecordChange record(HostStat made, Attributes withoutRecord) {
    RecordChange change = new RecordChange();
    if (uid != null && uid != withoutRecord.uid()) {
      change.uid(uid);
    }
    if (gid != null && gid != withoutRecord.gid()) {
      change.gid(gid);
    }
    if (type != Linux.S_IFLNK && mode != (made.mode() & Linux.PERMISSIONS)) {
      change.mode(mode);
    }
    if (isSpecial()) {
      change.special(type, rdev);
    }
    if (access != null) {
      change.setXattr(PosixAcl.ACCESS, access.toBytes(), 0);
    }
    if (inheritedDefault != null) {
      change.setXattr(PosixAcl.DEFAULT, inheritedDefault.toBytes(), 0);
    }
    return change;
  }
}
