package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;

/**
 * Linux's permission checks, for shares with owner policy {@code caller}: there the guest's kernel
 * cannot check, since each caller sees another owner. On other shares every method lets pass: the
 * guest's kernel has checked (default_permissions).
 *
 * <p>Source: inode_permission, may_delete and setattr_prepare in Linux's fs/namei.c and fs/attr.c.
 */
final class Permissions {
  static final int READ = Linux.R_OK;
  static final int WRITE = Linux.W_OK;
  static final int EXECUTE = Linux.X_OK;

  private final Xattrs xattrs;

  Permissions(Xattrs xattrs) {
    this.xattrs = xattrs;
  }

  /** EACCES unless the caller may do all of {@code mask}. */
  void require(Export export, Attributes file, Caller caller, int mask) throws ErrnoException {
    if (export.checksCaller()) {
      check(file, caller, mask);
    }
  }

  /** The same whatever the share's policy: what access(2) asks. */
  void check(Attributes file, Caller caller, int mask) throws ErrnoException {
    if (!caller.known()) {
      throw ErrnoException.of(Errno.EPERM);
    }
    if (caller.uid() == 0) {
      boolean executable = file.isDirectory() || (file.mode() & 0111) != 0;
      if ((mask & EXECUTE) != 0 && !executable) {
        throw ErrnoException.of(Errno.EACCES);
      }
      return;
    }
    if ((granted(file, caller) & mask) != mask) {
      throw ErrnoException.of(Errno.EACCES);
    }
  }

  private int granted(Attributes file, Caller caller) throws ErrnoException {
    if (caller.uid() == file.uid()) {
      return file.mode() >> 6 & 7;
    }
    PosixAcl acl = xattrs.acl(file.id(), PosixAcl.ACCESS);
    if (acl != null) {
      return acl.permissionsFor(caller, file.uid(), file.gid());
    }
    return (caller.isIn(file.gid()) ? file.mode() >> 3 : file.mode()) & 7;
  }

  /** Making a name in a directory. */
  void requireInsert(Export export, Attributes dir, Caller caller) throws ErrnoException {
    require(export, dir, caller, WRITE | EXECUTE);
  }

  /** Removing a name from a directory, sticky bit included. */
  void requireRemove(Export export, Attributes dir, Attributes victim, Caller caller)
      throws ErrnoException {
    if (!export.checksCaller()) {
      return;
    }
    check(dir, caller, WRITE | EXECUTE);
    boolean sticky = (dir.mode() & Linux.S_ISVTX) != 0;
    if (sticky && caller.uid() != 0 && caller.uid() != victim.uid() && caller.uid() != dir.uid()) {
      throw ErrnoException.of(Errno.EPERM);
    }
  }

  /** What only the owner and root may: chmod, setting times and attributes. */
  void requireOwner(Export export, Attributes file, Caller caller) throws ErrnoException {
    if (export.checksCaller() && caller.uid() != 0 && caller.uid() != file.uid()) {
      throw ErrnoException.of(Errno.EPERM);
    }
  }

  /** chown(2): root may; the owner may give to a group that he is in. {@code null}: not set. */
  void requireChown(Export export, Attributes file, Integer uid, Integer gid, Caller caller)
      throws ErrnoException {
    if (!export.checksCaller() || caller.uid() == 0) {
      return;
    }
    boolean owner = caller.uid() == file.uid();
    boolean uidStays = uid == null || (owner && uid == file.uid());
    boolean gidAllowed = gid == null || (owner && (gid == file.gid() || caller.isIn(gid)));
    if (!uidStays || !gidAllowed) {
      throw ErrnoException.of(Errno.EPERM);
    }
  }
}
