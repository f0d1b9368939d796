package dev.hostshare.fileserver.export;

/** A node, with one lookup count on it for the guest to give back, and its attributes. */
public record Entry(long node, Attributes attributes) {}
