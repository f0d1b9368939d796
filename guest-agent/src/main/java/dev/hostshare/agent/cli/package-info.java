/**
 * The command line of the guest, and the processes around the mounts.
 *
 * <p>{@code mount} runs itself again as the process that serves the mount ({@link
 * dev.hostshare.agent.cli.Background}) and waits on a pipe until that says that the mount is
 * usable, or why there is none. Each serving process listens on a control socket ({@link
 * dev.hostshare.agent.cli.ControlSocket}), through which {@code status} and {@code umount} find it.
 * It ends when it is unmounted, by whatever means, and unmounts when it is told to end.
 *
 * <p>Errors that a user can do something about are one line on standard error that names the thing
 * and the way out. Exit codes: 0 done, 1 failed, 2 wrong usage.
 */
package dev.hostshare.agent.cli;
