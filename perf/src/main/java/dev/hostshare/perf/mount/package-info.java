/**
 * What is compared: ways to a folder on the disk, each of which can be mounted, unmounted and made
 * cold. All of them lie in one work folder on one disk.
 *
 * <p>Every program that a target starts is in a session of its own, so that a Ctrl-C does not reach
 * it before we end it in order, by its process id. All of it is for one thread.
 */
package dev.hostshare.perf.mount;
