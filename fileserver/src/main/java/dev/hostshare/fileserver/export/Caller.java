package dev.hostshare.fileserver.export;

/**
 * Who asks, in the guest's ids.
 *
 * @param known false where the guest's kernel did not say; ids are then 0 and mean nothing
 * @param groups supplementary groups; empty unless the share's policy is {@code caller}
 */
public record Caller(boolean known, int uid, int gid, int pid, int[] groups) {
  public static final Caller UNKNOWN = new Caller(false, 0, 0, 0, new int[0]);

  boolean isIn(int group) {
    if (gid == group) {
      return true;
    }
    for (int g : groups) {
      if (g == group) {
        return true;
      }
    }
    return false;
  }
}
