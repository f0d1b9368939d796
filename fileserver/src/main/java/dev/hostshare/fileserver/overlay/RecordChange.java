package dev.hostshare.fileserver.overlay;

import java.util.ArrayList;
import java.util.List;

/** A change to one file's record, applied as a whole or not at all. A builder; not thread-safe. */
public final class RecordChange {
  private Integer uid;
  private Integer gid;
  private Integer mode;
  private Integer type;
  private long rdev;
  private final List<XattrChange> xattrs = new ArrayList<>();

  /**
   * One extended attribute to set, or with a null value to remove if it is there.
   *
   * @param flags XATTR_CREATE, XATTR_REPLACE or 0
   */
  record XattrChange(byte[] name, byte[] value, int flags) {}

  public RecordChange uid(int value) {
    uid = value;
    return this;
  }

  public RecordChange gid(int value) {
    gid = value;
    return this;
  }

  /** Permission bits, 07777. */
  public RecordChange mode(int value) {
    mode = value;
    return this;
  }

  /** Makes the file appear as a special file of this S_IFMT type. */
  public RecordChange special(int type, long rdev) {
    this.type = type;
    this.rdev = rdev;
    return this;
  }

  public RecordChange setXattr(byte[] name, byte[] value, int flags) {
    xattrs.add(new XattrChange(name, value, flags));
    return this;
  }

  /** Absent is no error. */
  public RecordChange dropXattr(byte[] name) {
    xattrs.add(new XattrChange(name, null, 0));
    return this;
  }

  boolean addsXattrs() {
    return xattrs.stream().anyMatch(x -> x.value() != null);
  }

  /** True if nothing would change. */
  public boolean isEmpty() {
    return uid == null && gid == null && mode == null && type == null && xattrs.isEmpty();
  }

  List<XattrChange> xattrs() {
    return xattrs;
  }

  OverlayRecord applyTo(OverlayRecord r) {
    return new OverlayRecord(
        uid == null ? r.uid() : uid,
        gid == null ? r.gid() : gid,
        mode == null ? r.mode() : mode,
        type == null ? r.type() : type,
        type == null ? r.rdev() : rdev,
        r.hasXattrs(),
        r.parent(),
        r.name(),
        r.path());
  }
}
