/**
 * The whole system: a server under an unprivileged user, an agent in a guest, and real programs on
 * the mount.
 *
 * <p>The guest is a set of namespaces ({@link dev.hostshare.test.system.Guest}): the quick stand-in
 * for a virtual machine. {@code dev.hostshare.test.vm} has a real one. {@link
 * dev.hostshare.test.system.Lab} puts server, guest and mount together; with {@code
 * -Dhostshare.test.driver=plain} it shows the guest the host's folder itself, with neither server
 * nor agent, to tell whether a test is right.
 */
package dev.hostshare.test.system;
