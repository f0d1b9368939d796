/**
 * What the server needs of the host's file system, and no more.
 *
 * <p>{@link dev.hostshare.fileserver.host.HostFs} is the interface; {@link
 * dev.hostshare.fileserver.host.LinuxHost} implements it with system calls through the FFM API.
 * Everything is relative to directory descriptors. No call walks more than one component, and none
 * follows a symlink, so a guest that swaps names for symlinks while we look never leads us out of a
 * share.
 *
 * <p>All methods are thread-safe and may block on the disk. Errors are {@link
 * dev.hostshare.fileserver.host.ErrnoException}s with Linux's numbers.
 */
package dev.hostshare.fileserver.host;
