/**
 * The guest agent: mounts the shares of a file server in a Linux guest.
 *
 * <p>Packages, of which each knows only those to its right: {@code cli -> {kernel, jnr} -> fs ->
 * remote}. A request of the guest's kernel goes from a driver ({@code kernel} or {@code jnr})
 * through the inode operations ({@code fs}) into the session with the server ({@code remote}), and
 * its answer comes back the same way. {@code cli} is the command line and the process around a
 * mount.
 */
package dev.hostshare.agent;
