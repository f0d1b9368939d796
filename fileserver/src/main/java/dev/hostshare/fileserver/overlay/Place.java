package dev.hostshare.fileserver.overlay;

import dev.hostshare.fileserver.host.FileId;

/**
 * Where a file was seen.
 *
 * @param parent identity of the directory
 * @param name one path component
 * @param path the whole host path, for people; null if it is longer than a record keeps
 */
public record Place(FileId parent, byte[] name, String path) {}
