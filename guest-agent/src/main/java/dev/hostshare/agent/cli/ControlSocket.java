package dev.hostshare.agent.cli;

import java.nio.file.Path;

/**
 * Where the processes that serve mounts are found: each has a Unix socket {@code PID.sock} in a
 * folder that only root can enter. A client writes one line and reads the answer up to its end.
 *
 * <ul>
 *   <li>{@code status text} and {@code status json}: the mounts of the process; JSON as objects
 *       with a comma after each
 *   <li>{@code owner PATH}: {@code yes} or {@code no}
 *   <li>{@code umount PATH}: {@code no} if it is not a mount of the process, {@code done}, or
 *       {@code error REASON}. When it was the last mount, the process ends.
 * </ul>
 */
final class ControlSocket {
  static final String SUFFIX = ".sock";

  private ControlSocket() {}

  /** {@code /run/hostshare}, or what {@code HOSTSHARE_RUN} says. */
  static Path folder() {
    String other = System.getenv("HOSTSHARE_RUN");
    return Path.of(other == null ? "/run/hostshare" : other);
  }

  static Path of(long pid) {
    return folder().resolve(pid + SUFFIX);
  }
}
