package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.Attr;

/**
 * An inode as told to the kernel, with one lookup count on it, which the kernel gives back with
 * forget.
 *
 * @param id the agent's node id: never reused, 1 for the root
 * @param entryNanos how long the kernel may keep the name, in nanoseconds
 * @param attrNanos how long the kernel may keep the attributes, in nanoseconds
 */
public record NodeEntry(long id, Attr attr, long entryNanos, long attrNanos) {}
