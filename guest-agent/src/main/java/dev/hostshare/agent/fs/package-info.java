/**
 * The inode core: a share as a tree of inodes, independent of how it is mounted.
 *
 * <h2>Concepts</h2>
 *
 * A {@link dev.hostshare.agent.fs.FileSystem} is one share in one session. Its operations come in
 * groups ({@link dev.hostshare.agent.fs.NameOperations}, {@link
 * dev.hostshare.agent.fs.AttributeOperations}, {@link dev.hostshare.agent.fs.FileOperations},
 * {@link dev.hostshare.agent.fs.DirectoryOperations}, {@link
 * dev.hostshare.agent.fs.XattrOperations}, {@link dev.hostshare.agent.fs.LockOperations}), each a
 * method that returns at once and answers through a {@link dev.hostshare.agent.fs.Reply}.
 *
 * <p>An <em>inode</em> has a number of ours, the node id, which is what the kernel is told: 64
 * bits, never used twice, the same for as long as the kernel remembers it, whatever becomes of the
 * server. The server's own number for it belongs to a session and is found again in the next. A
 * <em>lookup count</em> is what the kernel holds on an inode: each {@link
 * dev.hostshare.agent.fs.NodeEntry} is one, to be given back with forget. A <em>handle</em> is an
 * open file or directory.
 *
 * <h2>Errors</h2>
 *
 * Positive Linux error numbers, the server's as they are. Of our own: ESTALE for an inode that is
 * gone or is another file by now, EBADF for a handle that was never given out, EIO for what cannot
 * be done because the server is away or lost what it needs, EINTR for what was interrupted, ENOMEM
 * where there is no memory for what the kernel would keep and it cannot be asked to drop anything.
 *
 * <h2>Kernel caching</h2>
 *
 * {@link dev.hostshare.agent.fs.CachePolicy} says how long the kernel may keep what it is told;
 * nothing else does. On open the server's attributes are compared with what the kernel was last
 * told, and what differs is dropped from its cache before the open is answered: close-to-open
 * holds, whatever the timeouts. What the server says is no longer so is dropped as it says it; a
 * reply that was asked for before ({@link dev.hostshare.agent.fs.Asked}, {@link
 * dev.hostshare.agent.fs.Changes}) is passed on and not kept. What the kernel was told is missing
 * has no inode here: {@link dev.hostshare.agent.fs.MissingNames} remembers it. When the connection
 * breaks, everything is dropped. Writes are answered ahead of the server by {@link
 * dev.hostshare.agent.fs.WriteBehind}; every operation starts in {@code Core}, which has it done
 * after what was written to its targets.
 *
 * <h2>A server that is restarted</h2>
 *
 * Every operation names its targets. Those whose numbers are of an older session are recovered
 * first: inodes by walking their names down from the root and comparing identity (volume, inode
 * number, birth time), open files by opening them again, their locks by taking them again.
 * Operations that may be repeated are; those that may not (making, moving and removing names,
 * appending) end with EIO if the server that is gone may have done them.
 *
 * <h2>Threads</h2>
 *
 * All public methods are thread-safe. Replies are answered on the thread that delivers the server's
 * frames, or on the calling thread when the answer is at hand, or on a virtual thread after a
 * recovery. A {@code Reply} must be answered exactly once, and answering must not block.
 *
 * <h2>Interrupts</h2>
 *
 * A {@link dev.hostshare.agent.fs.RequestContext} is told what its request waits for, and passes an
 * interrupt on to that.
 *
 * <h2>Deadlocks</h2>
 *
 * To drop pages, or an entry, the kernel waits for locks that it holds while it waits for our
 * answers. So these invalidations run on a thread of their own, never on the one that delivers
 * answers; dropping attributes waits for nothing and may run anywhere. The tables' locks are
 * innermost: nothing is called with them.
 */
package dev.hostshare.agent.fs;
