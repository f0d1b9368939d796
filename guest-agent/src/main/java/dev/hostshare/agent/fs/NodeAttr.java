package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.Attr;

/**
 * An inode's attributes as told to the kernel.
 *
 * @param attrNanos how long the kernel may keep them, in nanoseconds
 */
public record NodeAttr(Attr attr, long attrNanos) {}
