/**
 * The semantics: what a guest sees and may do, composed of the host's files and the overlay's
 * records.
 *
 * <p>An {@link dev.hostshare.fileserver.export.Export} is an open share. An {@link
 * dev.hostshare.fileserver.export.ExportSession} is one guest's view: its nodes (what it was told
 * of), its handles (what it has open) and the operations on them.
 *
 * <p><b>Reaching a file.</b> A node is a file's identity and the names under which this guest knows
 * it. Names are hints: whoever opens or looks at a file by its name checks that it still is the
 * same file, and answers ESTALE when it is not, upon which the guest's kernel looks the name up
 * again. Directories are reached through a bounded cache of descriptors ({@link
 * dev.hostshare.fileserver.export.DirectoryDescriptors}), each opened from its parent's, one
 * component at a time. A file that a guest removed keeps a descriptor until the guest forgets it.
 *
 * <p><b>Caches.</b> What a guest may keep is what {@link dev.hostshare.fileserver.export.Watches}
 * watches: the directory is marked before it is looked at, and what others change in it is told to
 * the session's {@link dev.hostshare.fileserver.export.Invalidations}. A change that a session
 * makes is told to the other sessions by the operation that made it, after it was made.
 *
 * <p><b>Locks</b>, in the order in which they may be taken: the host's event queue ({@code
 * HostWatch.drain}), {@code NodeTable} (per session), {@code Watches}, {@code
 * DirectoryDescriptors}, the overlay store's. None is held over a system call that can wait, save
 * the store's over SQLite's.
 */
package dev.hostshare.fileserver.export;
