package dev.hostshare.agent.fs;

/**
 * An open file or directory as told to the kernel.
 *
 * @param handle the agent's handle, to be released once
 * @param entry the inode with a lookup count, of create and tmpfile; else null
 * @param keepCache whether the pages that the kernel has of the file are still good
 */
public record OpenedFile(long handle, NodeEntry entry, boolean keepCache) {}
