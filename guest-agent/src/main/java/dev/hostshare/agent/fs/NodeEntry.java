package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.Attr;

/**
 * An inode as told to the kernel, with one lookup count on it, which the kernel gives back with
 * forget.
 *
 * @param id the agent's node id: never reused, 1 for the root; negative for {@link #missing}
 * @param entryNanos how long the kernel may keep the name, in nanoseconds
 * @param attrNanos how long the kernel may keep the attributes, in nanoseconds
 */
public record NodeEntry(long id, Attr attr, long entryNanos, long attrNanos) {
  /** The id of {@link #missing}: the kernel's node id 0. */
  private static final long MISSING = -1;

  /** Says that there is no such name; {@code entryNanos}: how long the kernel may keep that. */
  static NodeEntry missing(long entryNanos) {
    return new NodeEntry(MISSING, Attr.getDefaultInstance(), entryNanos, 0);
  }
}
