package dev.hostshare.fileserver.export;

/**
 * A node, with one lookup count on it for the guest to give back, and its attributes.
 *
 * @param nameWatched whether the guest will be told when the name no longer means this node
 */
public record Entry(long node, Attributes attributes, boolean nameWatched) {}
