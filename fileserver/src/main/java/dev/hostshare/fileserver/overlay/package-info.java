/**
 * The overlay metadata store: what guests set with chown, chmod, mknod, setxattr and ACLs, kept
 * beside the host's files, never in them.
 *
 * <p>A record belongs to a file's identity ({@link dev.hostshare.fileserver.host.FileId}), not to a
 * path. Each field is present or absent; a present field replaces the host's. A record also
 * remembers the name under which the file was last seen, so that a file that an editor put in its
 * place by a rename inherits it.
 *
 * <p>Records are kept in SQLite. A change is appended to a journal before it ({@link
 * dev.hostshare.fileserver.overlay.Journal}) and written to the database a moment later, together
 * with others: a transaction of its own would be half the time of a chmod (28 to 37 of 58 to 67
 * µs), and what is made, owned and given a mode one after the other is written once. Extended
 * attributes are in the database at once.
 *
 * <p>Durability: a change is in the journal (in the operating system's hands, safe from the death
 * of the server) when the call returns, and on the disk after {@link
 * dev.hostshare.fileserver.overlay.OverlayStore#sync}. A store that was closed has no journal.
 *
 * <p>Threads: all methods are thread-safe. One lock guards the database and what it does not have
 * yet; one thread writes back.
 */
package dev.hostshare.fileserver.overlay;
