package dev.hostshare.agent.docker;

import static com.google.common.base.Preconditions.checkArgument;

import java.util.ArrayList;
import java.util.List;

/**
 * The machine's own paths that containers may have although no host shares them: each with
 * everything below it.
 */
public record AllowedPaths(List<String> paths) {
  /**
   * What containers ask of the machine they run on: devices, kernel, engine, clock, names,
   * certificates. Not /home, /opt, /srv, /tmp, /mnt and the like: who names those means the host's.
   * Not /var as a whole: /var/folders is the host's on macOS.
   */
  public static final List<String> DEFAULTS =
      List.of(
          "/boot",
          "/dev",
          "/etc/group",
          "/etc/hostname",
          "/etc/hosts",
          "/etc/localtime",
          "/etc/machine-id",
          "/etc/os-release",
          "/etc/passwd",
          "/etc/resolv.conf",
          "/etc/ssl/certs",
          "/etc/timezone",
          "/lib/modules",
          "/proc",
          "/run",
          "/sys",
          "/usr/share/zoneinfo",
          "/usr/src",
          "/var/cache",
          "/var/lib",
          "/var/log",
          "/var/run");

  public AllowedPaths {
    paths = List.copyOf(paths);
    for (String path : paths) {
      checkArgument(
          path.startsWith("/"), "an allowed path must be absolute, such as /srv/data: %s", path);
      checkArgument(path.indexOf('\0') < 0, "an allowed path has a NUL: %s", path);
    }
  }

  /** {@code more}, with the defaults or alone. */
  public static AllowedPaths of(boolean defaults, List<String> more) {
    var paths = new ArrayList<>(defaults ? DEFAULTS : List.of());
    paths.addAll(more);
    return new AllowedPaths(paths);
  }

  /** May wait for a mount's server, where an allowed path lies on one. */
  boolean contain(Location location) throws UncheckableException {
    for (String path : paths) {
      // Followed anew each time: what is a link now need not have been one before.
      if (location.isIn(Location.of(path).path())) {
        return true;
      }
    }
    return false;
  }
}
