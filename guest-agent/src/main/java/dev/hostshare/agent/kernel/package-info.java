/**
 * The default driver: the FUSE kernel protocol spoken directly over {@code /dev/fuse}.
 *
 * <h2>Concepts</h2>
 *
 * {@link dev.hostshare.agent.kernel.KernelMount} opens the device, calls mount(2), agrees on
 * version and features ({@code FuseInit}: 7.31 to 7.45), and has the session's event loop watch the
 * device together with its socket. The event loop reads a request, unpacks it ({@code
 * FuseDispatcher}), begins the operation and reads the next. The answer is written by the thread
 * that has it, which is the event loop, too, but after a recovery. {@code FuseAbi} has the numbers
 * and layouts, {@code FuseEncoder} writes them, {@code RequestBody} reads them, {@code Libc} makes
 * the system calls through the foreign function interface.
 *
 * <h2>Errors</h2>
 *
 * Every request is answered, whatever is thrown: an exception is logged and answered EIO, an opcode
 * that we do not know ENOSYS, after which the kernel does without it. ENODEV on the device means
 * that the mount is gone; it is then looked at no more.
 *
 * <h2>Permissions</h2>
 *
 * With the owner policies HOST and FIXED the kernel checks them (default_permissions, POSIX ACLs
 * included), and idmapped mounts work where the kernel has them; it then does not tell who asks,
 * save where something is made. With CALLER the server checks, and nothing is cached.
 *
 * <h2>Threads</h2>
 *
 * The event loop only, which never waits: requests with data beyond the byte budget are left in the
 * device until there is room. A thread of its own for reading costs two wake-ups a request: with
 * workers on clones of the device (FUSE_DEV_IOC_CLONE), creating a file takes 390 to 460 µs rather
 * than 275 to 370, opening a cached one 74 rather than 54 (two virtual processors).
 *
 * <h2>Interrupts</h2>
 *
 * {@code PendingRequests} brings FUSE_INTERRUPT to the request that it is about. The kernel does
 * not let go of a request that was read until it is answered, not even of a killed process: so an
 * interrupt is always passed on, and the session answers within a bounded time.
 *
 * <h2>Deadlocks</h2>
 *
 * See package {@code fs}. The agent must not touch its own mount: the request would wait for the
 * event loop, which waits for it.
 */
package dev.hostshare.agent.kernel;
