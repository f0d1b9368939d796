package dev.hostshare.agent.kernel;

import java.util.Collection;
import java.util.Map;

/**
 * The mount options that every file system has, as mount(2) takes them.
 *
 * <p>Source: mount(2), {@code include/uapi/linux/mount.h}.
 */
public final class MountFlags {
  public static final long MS_RDONLY = 1;
  private static final long MS_NOSUID = 2;
  private static final long MS_NODEV = 4;
  private static final long MS_NOEXEC = 8;
  private static final long MS_SYNCHRONOUS = 16;
  private static final long MS_DIRSYNC = 128;
  private static final long MS_NOATIME = 1024;
  private static final long MS_NODIRATIME = 2048;
  static final long MS_REMOUNT = 32;
  static final long MS_BIND = 4096;
  private static final long MS_RELATIME = 1 << 21;
  private static final long MS_STRICTATIME = 1 << 24;
  private static final long MS_LAZYTIME = 1 << 25;

  private static final Map<String, Long> SET =
      Map.ofEntries(
          Map.entry("ro", MS_RDONLY),
          Map.entry("nosuid", MS_NOSUID),
          Map.entry("nodev", MS_NODEV),
          Map.entry("noexec", MS_NOEXEC),
          Map.entry("sync", MS_SYNCHRONOUS),
          Map.entry("dirsync", MS_DIRSYNC),
          Map.entry("noatime", MS_NOATIME),
          Map.entry("nodiratime", MS_NODIRATIME),
          Map.entry("relatime", MS_RELATIME),
          Map.entry("strictatime", MS_STRICTATIME),
          Map.entry("lazytime", MS_LAZYTIME));

  private static final Map<String, Long> CLEAR =
      Map.of(
          "rw", MS_RDONLY,
          "suid", MS_NOSUID,
          "dev", MS_NODEV,
          "exec", MS_NOEXEC,
          "async", MS_SYNCHRONOUS,
          "atime", MS_NOATIME,
          "diratime", MS_NODIRATIME,
          "norelatime", MS_RELATIME,
          "nostrictatime", MS_STRICTATIME,
          "nolazytime", MS_LAZYTIME);

  private MountFlags() {}

  /** Whether {@code option} is one of these. */
  public static boolean isFlag(String option) {
    return SET.containsKey(option) || CLEAR.containsKey(option);
  }

  /** The same flags, of a read-only or a writable mount. */
  public static long readOnly(long flags, boolean readOnly) {
    return readOnly ? flags | MS_RDONLY : flags & ~MS_RDONLY;
  }

  /** The flags for {@code options}, of which a later one overrides an earlier one. */
  public static long of(Collection<String> options) {
    long flags = 0;
    for (String option : options) {
      flags |= SET.getOrDefault(option, 0L);
      flags &= ~CLEAR.getOrDefault(option, 0L);
    }
    return flags;
  }
}
