package dev.hostshare.test.posix;

import java.util.List;

/** Who makes a system call: real and effective ids are the same. */
public record Identity(int uid, int gid, List<Integer> groups) {
  public static final Identity ROOT = new Identity(0, 0, List.of());

  public Identity(int uid, int gid) {
    this(uid, gid, List.of());
  }

  public Identity {
    groups = List.copyOf(groups);
  }

  @Override
  public String toString() {
    return uid == 0 ? "root" : "uid " + uid;
  }
}
