package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;

/**
 * What a driver can make the kernel forget. Errors are the driver's to log: that an inode is not in
 * the kernel's cache is none.
 */
public interface KernelCache {

  /**
   * Drops the attributes of inode {@code id}. Does not wait for any request to be answered, so it
   * may be called on the thread that delivers replies, provided that the kernel holds the inode
   * (its open or getattr is waiting).
   */
  void invalidateAttributes(long id);

  /**
   * Drops attributes and pages of inode {@code id}. Waits for pages that are being read: must not
   * be called on the thread that delivers replies.
   *
   * @return false if the kernel does not have it
   */
  boolean invalidateData(long id);

  /**
   * Drops the entry {@code name} of directory {@code parent}. Waits for the directory's lock, which
   * the kernel holds while it waits for us: must not be called on the thread that delivers replies.
   */
  void invalidateEntry(long parent, ByteString name);

  /** Whether {@link #storeContent} does anything. */
  boolean takesContent();

  /**
   * Puts all of a file into the kernel's pages of inode {@code id}. May be called on the thread
   * that delivers replies, provided that the file is not open, so that no page of it is being read.
   */
  void storeContent(long id, ByteString content);

  /**
   * Drops inodes that nothing in the guest uses. May wait: must not be called on the thread that
   * delivers replies.
   *
   * @return false if the kernel cannot be asked that
   */
  boolean prune(long[] ids);

  /**
   * Drops all that nothing in the guest uses, of other file systems, too.
   *
   * @return false if that is not allowed
   */
  boolean dropUnused();

  /** For a driver that cannot: the kernel keeps what it has until its timeouts. */
  KernelCache NONE =
      new KernelCache() {
        @Override
        public void invalidateAttributes(long id) {}

        @Override
        public boolean invalidateData(long id) {
          return true;
        }

        @Override
        public void invalidateEntry(long parent, ByteString name) {}

        @Override
        public boolean prune(long[] ids) {
          return false;
        }

        @Override
        public boolean dropUnused() {
          return false;
        }

        @Override
        public boolean takesContent() {
          return false;
        }

        @Override
        public void storeContent(long id, ByteString content) {}
      };
}
