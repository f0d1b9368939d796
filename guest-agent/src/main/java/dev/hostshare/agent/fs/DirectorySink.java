package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;

/** Takes the entries of one readdir in the driver's form, until no more fit. Used by one thread. */
public interface DirectorySink {

  /** Whether an entry with a name of {@code nameBytes} still fits. */
  boolean fits(int nameBytes);

  /**
   * Adds an entry, which {@linkplain #fits fits} as far as can be said before.
   *
   * @param offset where the directory is to be read on after this entry; never negative
   * @param type S_IFMT bits of the mode, 0 if not known
   * @param entry the inode with a lookup count; null without attributes (".", "..", an entry that
   *     went away meanwhile, or a reader that did not ask for them)
   * @return false if it did not fit after all, and was not added
   */
  boolean add(long offset, ByteString name, long ino, int type, NodeEntry entry);
}
