/**
 * The wire: unpack a frame, call {@code export}, pack the answer; nothing else is decided here.
 *
 * <p>A {@link dev.hostshare.fileserver.rpc.Session} outlives its connection: a guest that lost the
 * stream resumes it within {@link dev.hostshare.fileserver.rpc.SessionTable#GRACE}, and replies
 * that may have been lost with the stream are sent again instead of being computed again.
 *
 * <p>Threads: frames arrive on Netty's event loop. What rarely waits for the disk is done there
 * while nothing else is to be done, everything else goes to the workers, and locks that wait get a
 * thread of their own. Replies are written by the thread that has them.
 */
package dev.hostshare.fileserver.rpc;
