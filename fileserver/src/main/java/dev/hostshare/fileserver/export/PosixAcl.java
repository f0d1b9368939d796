package dev.hostshare.fileserver.export;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A POSIX access control list in the form of the {@code system.posix_acl_*} attributes
 * (include/uapi/linux/posix_acl_xattr.h): a version, then tag, permissions and id of each entry.
 * Immutable.
 */
record PosixAcl(List<AclEntry> entries) {
  static final byte[] ACCESS = "system.posix_acl_access".getBytes(StandardCharsets.US_ASCII);
  static final byte[] DEFAULT = "system.posix_acl_default".getBytes(StandardCharsets.US_ASCII);

  private static final int VERSION = 2;
  private static final int ENTRY_BYTES = 8;

  static final int USER_OBJ = 0x01;
  static final int USER = 0x02;
  static final int GROUP_OBJ = 0x04;
  static final int GROUP = 0x08;
  static final int MASK = 0x10;
  static final int OTHER = 0x20;

  /**
   * One line of an ACL.
   *
   * @param permissions rwx as 4, 2, 1
   * @param id user or group for USER and GROUP, else without meaning
   */
  record AclEntry(int tag, int permissions, int id) {
    AclEntry with(int newPermissions) {
      return new AclEntry(tag, newPermissions, id);
    }
  }

  /** Reads an attribute's value; null if it is not a well-formed ACL. */
  static PosixAcl parse(byte[] value) {
    ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    if (value.length < 4 || (value.length - 4) % ENTRY_BYTES != 0 || in.getInt() != VERSION) {
      return null;
    }
    List<AclEntry> entries = new ArrayList<>();
    int seen = 0;
    while (in.hasRemaining()) {
      int tag = Short.toUnsignedInt(in.getShort());
      int permissions = Short.toUnsignedInt(in.getShort());
      int id = in.getInt();
      boolean known = Integer.bitCount(tag) == 1 && tag <= OTHER;
      boolean repeated = (seen & tag) != 0 && tag != USER && tag != GROUP;
      if (!known || repeated || permissions > 7) {
        return null;
      }
      seen |= tag;
      entries.add(new AclEntry(tag, permissions, id));
    }
    int required = USER_OBJ | GROUP_OBJ | OTHER;
    boolean needsMask = (seen & (USER | GROUP)) != 0;
    if (!entries.isEmpty()
        && ((seen & required) != required || (needsMask && (seen & MASK) == 0))) {
      return null;
    }
    return new PosixAcl(List.copyOf(entries));
  }

  byte[] toBytes() {
    ByteBuffer out =
        ByteBuffer.allocate(4 + entries.size() * ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(VERSION);
    for (AclEntry e : entries) {
      out.putShort((short) e.tag()).putShort((short) e.permissions()).putInt(e.id());
    }
    return out.array();
  }

  /** True if it says no more than nine permission bits can. */
  boolean isMinimal() {
    return entries.stream().allMatch(e -> (e.tag() & (USER_OBJ | GROUP_OBJ | OTHER)) != 0);
  }

  /**
   * The nine permission bits that stand for this ACL: the mask, if any, is shown as the group's.
   */
  int toMode() {
    int mode = permissionsOf(USER_OBJ) << 6 | permissionsOf(OTHER);
    int group = has(MASK) ? permissionsOf(MASK) : permissionsOf(GROUP_OBJ);
    return mode | group << 3;
  }

  /** What chmod(2) makes of it (posix_acl_chmod in fs/posix_acl.c). */
  PosixAcl withMode(int mode) {
    int groupTag = has(MASK) ? MASK : GROUP_OBJ;
    return new PosixAcl(
        entries.stream()
            .map(
                e ->
                    switch (e.tag()) {
                      case USER_OBJ -> e.with(mode >> 6 & 7);
                      case OTHER -> e.with(mode & 7);
                      default -> e.tag() == groupTag ? e.with(mode >> 3 & 7) : e;
                    })
            .toList());
  }

  /** What a new object with this creation mode gets of a default ACL (posix_acl_create). */
  PosixAcl forCreation(int mode) {
    int groupTag = has(MASK) ? MASK : GROUP_OBJ;
    return new PosixAcl(
        entries.stream()
            .map(
                e ->
                    switch (e.tag()) {
                      case USER_OBJ -> e.with(e.permissions() & mode >> 6);
                      case OTHER -> e.with(e.permissions() & mode);
                      default -> e.tag() == groupTag ? e.with(e.permissions() & mode >> 3) : e;
                    })
            .toList());
  }

  /** The permissions that the caller has by this ACL on a file of this owner and group (acl(5)). */
  int permissionsFor(Caller caller, int uid, int gid) {
    if (caller.uid() == uid) {
      return permissionsOf(USER_OBJ);
    }
    int mask = has(MASK) ? permissionsOf(MASK) : 7;
    for (AclEntry e : entries) {
      if (e.tag() == USER && e.id() == caller.uid()) {
        return e.permissions() & mask;
      }
    }
    boolean inGroup = false;
    int granted = 0;
    for (AclEntry e : entries) {
      boolean mine =
          (e.tag() == GROUP_OBJ && caller.isIn(gid)) || (e.tag() == GROUP && caller.isIn(e.id()));
      if (mine) {
        inGroup = true;
        granted |= e.permissions() & mask;
      }
    }
    return inGroup ? granted : permissionsOf(OTHER);
  }

  private boolean has(int tag) {
    return entries.stream().anyMatch(e -> e.tag() == tag);
  }

  private int permissionsOf(int tag) {
    return entries.stream()
        .filter(e -> e.tag() == tag)
        .mapToInt(AclEntry::permissions)
        .findFirst()
        .orElse(0);
  }
}
