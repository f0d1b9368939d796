package dev.hostshare.fileserver.export;

/**
 * A node, with one lookup count on it for the guest to give back, and its attributes.
 *
 * @param nameWatched whether the guest will be told when the name no longer means this node
 * @param emptyWatched a directory that has nothing in it, and the guest will be told when it has
 */
public record Entry(long node, Attributes attributes, boolean nameWatched, boolean emptyWatched) {
  Entry(long node, Attributes attributes, boolean nameWatched) {
    this(node, attributes, nameWatched, false);
  }
}
