/**
 * The system-call surface of Linux on x86-64, as the tests see it.
 *
 * <p>Nothing here goes through {@code java.nio}: a test says which call it makes, with which flags,
 * and sees the errno. {@link dev.hostshare.test.posix.Task} is the actor: a thread with its own
 * credentials, umask, working directory, file table and, if asked, mount namespace, so that one JVM
 * can play several processes of several users on both sides of a mount.
 *
 * <p>Path names are byte strings: each char of a {@code String} is one byte (ISO 8859-1), so that
 * any byte but {@code /} and NUL can be written down. {@link dev.hostshare.test.posix.Names#utf8}
 * makes one of text.
 */
package dev.hostshare.test.posix;
