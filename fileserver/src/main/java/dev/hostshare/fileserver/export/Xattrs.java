package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.overlay.RecordChange;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Extended attributes and ACLs: the overlay's only, the host's files have no part in them.
 * Thread-safe.
 */
public final class Xattrs {
  static final byte[] CAPABILITY = "security.capability".getBytes(StandardCharsets.US_ASCII);

  private final ExportSession session;
  private final Permissions permissions = new Permissions(this);

  Xattrs(ExportSession session) {
    this.session = session;
  }

  /** The value; ENODATA if there is none. */
  public byte[] get(long node, byte[] name, Caller caller) throws ErrnoException {
    Node n = session.nodes.get(node);
    byte[] value = session.overlay.xattr(n.fileId, name);
    if (value == null) {
      throw ErrnoException.of(Errno.ENODATA);
    }
    if (n.export.checksCaller() && isUser(name)) {
      permissions.require(
          n.export, session.inodes().attributes(n, caller), caller, Permissions.READ);
    }
    return value;
  }

  /** All names, each ended by NUL; E2BIG beyond 64 KiB as Linux has it. */
  public byte[] list(long node) throws ErrnoException {
    Node n = session.nodes.get(node);
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    for (byte[] name : session.overlay.xattrNames(n.fileId)) {
      names.writeBytes(name);
      names.write(0);
    }
    if (names.size() > Linux.XATTR_LIST_MAX) {
      throw ErrnoException.of(Errno.E2BIG);
    }
    return names.toByteArray();
  }

  /**
   * setxattr(2); ENOSPC where all of the file's would be more than listxattr(2) can tell, or more
   * than 1 MiB. An access ACL sets the mode as well; one that the mode can say alone is not kept.
   *
   * @param flags XATTR_CREATE, XATTR_REPLACE or 0
   * @param killSgid the caller may not keep setgid on this file
   */
  public void set(long node, byte[] name, byte[] value, int flags, boolean killSgid, Caller caller)
      throws ErrnoException {
    Node n = session.nodes.get(node);
    n.export.requireWritable();
    requireXattrName(name);
    if (value.length > Linux.XATTR_SIZE_MAX) {
      throw ErrnoException.of(Errno.E2BIG);
    }
    if ((flags & ~(Linux.XATTR_CREATE | Linux.XATTR_REPLACE)) != 0) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    session.reach(
        n,
        (at, stat) -> {
          Attributes file = n.export.compose(stat, n.fileId, caller);
          requireMayChange(n, file, name, caller);
          RecordChange change = new RecordChange();
          if (isAcl(name)) {
            setAcl(change, file, name, value, killSgid);
          } else {
            change.setXattr(name, value, flags);
          }
          session.overlay.change(n.fileId, session.place(n), change);
          session.inodes().touchChangeTime(at, stat);
          session.changed(n);
          return null;
        });
  }

  private static void setAcl(
      RecordChange change, Attributes file, byte[] name, byte[] value, boolean killSgid)
      throws ErrnoException {
    PosixAcl acl = PosixAcl.parse(value);
    if (acl == null) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    boolean access = Arrays.equals(name, PosixAcl.ACCESS);
    if (file.type() == Linux.S_IFLNK) {
      throw ErrnoException.of(Errno.EOPNOTSUPP);
    }
    if (!access && !file.isDirectory()) {
      throw ErrnoException.of(acl.entries().isEmpty() ? Errno.ENODATA : Errno.EACCES);
    }
    boolean keep = !acl.entries().isEmpty() && !(access && acl.isMinimal());
    if (keep) {
      change.setXattr(name, value, 0);
    } else {
      change.dropXattr(name);
    }
    if (access && !acl.entries().isEmpty()) {
      int mode = (file.permissions() & ~0777) | acl.toMode();
      change.mode(killSgid ? mode & ~Linux.S_ISGID : mode);
    }
  }

  /** ENODATA if there is none. */
  public void remove(long node, byte[] name, Caller caller) throws ErrnoException {
    Node n = session.nodes.get(node);
    n.export.requireWritable();
    requireXattrName(name);
    session.reach(
        n,
        (at, stat) -> {
          requireMayChange(n, n.export.compose(stat, n.fileId, caller), name, caller);
          if (session.overlay.xattr(n.fileId, name) == null) {
            throw ErrnoException.of(Errno.ENODATA);
          }
          session.overlay.change(n.fileId, session.place(n), new RecordChange().dropXattr(name));
          session.inodes().touchChangeTime(at, stat);
          session.changed(n);
          return null;
        });
  }

  /** The ACL stored under this name, or null. */
  PosixAcl acl(FileId id, byte[] name) throws ErrnoException {
    byte[] value = session.overlay.xattr(id, name);
    return value == null ? null : PosixAcl.parse(value);
  }

  private void requireMayChange(Node n, Attributes file, byte[] name, Caller caller)
      throws ErrnoException {
    if (isUser(name)) {
      permissions.require(n.export, file, caller, Permissions.WRITE);
    } else if (isAcl(name)) {
      permissions.requireOwner(n.export, file, caller);
    } else if (n.export.checksCaller() && caller.uid() != 0) {
      throw ErrnoException.of(Errno.EPERM);
    }
  }

  private static void requireXattrName(byte[] name) throws ErrnoException {
    if (name.length == 0 || name.length > Linux.NAME_MAX) {
      throw ErrnoException.of(Errno.ERANGE);
    }
    for (byte b : name) {
      if (b == 0) {
        throw ErrnoException.of(Errno.EINVAL);
      }
    }
  }

  private static boolean isAcl(byte[] name) {
    return Arrays.equals(name, PosixAcl.ACCESS) || Arrays.equals(name, PosixAcl.DEFAULT);
  }

  private static boolean isUser(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1).startsWith("user.");
  }
}
