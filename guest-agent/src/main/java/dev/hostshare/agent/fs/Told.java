package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.Attr;

/**
 * What is remembered of the attributes that the kernel was told: there is one for each inode, so
 * that it is small. Times as in {@code struct statx}.
 *
 * @param xattrs whether there are extended attributes, or may be
 */
record Told(long size, long mtime, int mtimeNsec, long ctime, int ctimeNsec, boolean xattrs) {

  static Told of(Attr attr) {
    return new Told(
        attr.getSize(),
        attr.getMtime(),
        attr.getMtimeNsec(),
        attr.getCtime(),
        attr.getCtimeNsec(),
        attr.getXattrs());
  }

  /**
   * Whether pages read when these were the attributes are still good now that they are {@code now}.
   * A change within the resolution of the host's clock and of the same size is not seen; Linux's
   * file systems have a few milliseconds there.
   */
  boolean sameContent(Attr now) {
    return size == now.getSize()
        && mtime == now.getMtime()
        && mtimeNsec == now.getMtimeNsec()
        && ctime == now.getCtime()
        && ctimeNsec == now.getCtimeNsec();
  }
}
