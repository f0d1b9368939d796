package dev.hostshare.perf.sys;

/**
 * What a file system has for whoever asks: statvfs(3).
 *
 * @param size in bytes
 * @param free in bytes
 * @param inodes free ones; 0 together with {@code allInodes} where they are not counted
 * @param allInodes free and used
 */
public record Space(long size, long free, long inodes, long allInodes) {}
