/**
 * The overlay metadata store: what guests set with chown, chmod, mknod, setxattr and ACLs, kept
 * beside the host's files, never in them.
 *
 * <p>A record belongs to a file's identity ({@link dev.hostshare.fileserver.host.FileId}), not to a
 * path. Each field is present or absent; a present field replaces the host's. A record also
 * remembers the name under which the file was last seen, so that a file that an editor put in its
 * place by a rename inherits it.
 *
 * <p>Durability: a change is in the database's write-ahead log (in the operating system's hands,
 * safe from the death of the server) when the call returns, and on the disk after {@link
 * dev.hostshare.fileserver.overlay.OverlayStore#sync}.
 *
 * <p>Threads: all methods are thread-safe. One lock guards the database; changes that wait for it
 * are committed together by whoever gets it.
 */
package dev.hostshare.fileserver.overlay;
