/**
 * The second driver: jnr-fuse 0.5.8 over libfuse 2.9's high-level API, for kernels and sandboxes
 * where the kernel driver cannot run.
 *
 * <h2>Concepts</h2>
 *
 * libfuse speaks in paths and wants an answer before the callback returns. {@code JnrFileSystem}
 * walks to the path through the inode core (one request however deep), does the operation and waits
 * ({@code BlockingReply}). Data of open files is read and written through their handle, without a
 * path.
 *
 * <h2>What libfuse 2 cannot do</h2>
 *
 * <ul>
 *   <li>It cannot be told to drop the kernel's caches: a change made elsewhere shows after the
 *       timeout of a second. Close-to-open holds for data, since each open drops the pages unless
 *       the file is unchanged; attributes may be a second old.
 *   <li>Its inodes are paths: hard links are separate inodes to the kernel, with a link count that
 *       may be a second old.
 *   <li>It has no renameat2 flags, O_TMPFILE, copy_file_range, SEEK_HOLE, birth times.
 *   <li>It asks for the attributes of an open file by path. So a file that is removed while open is
 *       renamed to {@code .fuse_hidden…} until it is closed, as NFS clients do; without that (its
 *       option hard_remove) fstat and fchmod would fail with ENOENT. Its folder cannot be removed
 *       before.
 *   <li>POSIX ACLs can be set and read, but the kernel does not check them.
 *   <li>jnr-fuse passes names as Java strings: a name that is not UTF-8 can be listed but not used
 *       (EINVAL).
 *   <li>A process that waits for a lock notices a signal within 50 ms.
 * </ul>
 *
 * <h2>Errors, threads</h2>
 *
 * libfuse calls on as many threads as there are requests. jnr-ffi takes an exception in a callback
 * for success: every callback catches everything and answers EIO.
 */
package dev.hostshare.agent.jnr;
