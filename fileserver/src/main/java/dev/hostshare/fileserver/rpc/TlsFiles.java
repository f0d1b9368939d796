package dev.hostshare.fileserver.rpc;

import java.nio.file.Path;

/**
 * PEM files of the server's identity and of the authority whose clients may connect.
 *
 * @param certificate the server's certificate chain
 * @param key its private key, PKCS#8
 * @param authority certificates that sign the clients'
 */
public record TlsFiles(Path certificate, Path key, Path authority) {}
