package dev.hostshare.fileserver.overlay;

/** An extended attribute: name with its namespace, and value. */
public record Xattr(byte[] name, byte[] value) {}
