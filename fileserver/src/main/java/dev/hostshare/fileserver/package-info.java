/**
 * The file server: {@code cli -> rpc -> export -> {host, overlay}}; each package's manual is in its
 * own package-info.
 */
package dev.hostshare.fileserver;
