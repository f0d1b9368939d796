package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.ENODATA;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.proto.Linux.O_TRUNC;
import static dev.hostshare.proto.Linux.O_WRONLY;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.hostshare.test.posix.Task;

/**
 * When Linux clears setuid, setgid and file capabilities. chmod(2), chown(2), write(2), inode(7).
 */
final class SetidCases {
  private static final String CAPABILITY = "security.capability";

  /** struct vfs_cap_data, revision 2: cap_net_bind_service, permitted and effective. */
  private static final byte[] NET_BIND = {
    1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  };

  private SetidCases() {}

  private static void arm(Scene s, int mode) {
    if (!s.root.exists(s.at("f"))) {
      s.root.write(s.at("f"), "program");
    }
    s.root.chown(s.at("f"), Scene.USER.uid(), Scene.USER.gid());
    s.root.chmod(s.at("f"), mode);
    assertEquals(mode, s.root.stat(s.at("f")).permissions());
  }

  private static void assertMode(int mode, Scene s) {
    assertEquals(
        Integer.toOctalString(mode), Integer.toOctalString(s.root.stat(s.at("f")).permissions()));
  }

  @Case(as = Case.As.ROOT)
  static void ordinaryWriterClearsThem(Scene s) {
    Task stranger = s.task(Scene.STRANGER);
    arm(s, 06777);
    try (var fd = stranger.open(s.at("f"), O_RDWR)) {
      assertMode(06777, s);
      fd.pwrite("x", 0);
    }
    assertMode(0777, s);
    arm(s, 06777);
    s.task(Scene.USER).write(s.at("f"), "the owner does, too");
    assertMode(0777, s);
  }

  @Case(as = Case.As.ROOT)
  static void ordinaryTruncaterClearsThem(Scene s) {
    Task stranger = s.task(Scene.STRANGER);
    arm(s, 06777);
    stranger.truncate(s.at("f"), 3);
    assertMode(0777, s);
    arm(s, 06777);
    stranger.open(s.at("f"), O_WRONLY | O_TRUNC).close();
    assertMode(0777, s);
    arm(s, 06777);
    try (var fd = stranger.open(s.at("f"), O_RDWR)) {
      fd.truncate(1);
    }
    assertMode(0777, s);
  }

  @Case(as = Case.As.ROOT)
  static void rootWritesWithoutClearing(Scene s) {
    arm(s, 06755);
    s.root.write(s.at("f"), "new");
    assertMode(06755, s);
    s.root.truncate(s.at("f"), 1);
    assertMode(06755, s);
  }

  /** Without execute permission for the group, setgid meant mandatory locking; it stays. */
  @Case(as = Case.As.ROOT)
  static void chownClearsThemForRootToo(Scene s) {
    arm(s, 06755);
    s.root.chown(s.at("f"), 4001, 4002);
    assertMode(0755, s);
    arm(s, 06755);
    s.root.chown(s.at("f"), -1, 4002);
    assertMode(0755, s);
    arm(s, 06644);
    s.root.chown(s.at("f"), 4001, 4002);
    assertMode(02644, s);
  }

  @Case(as = Case.As.ROOT)
  static void chownLeavesDirectoriesAlone(Scene s) {
    s.root.mkdir(s.at("d"), 0755);
    s.root.chmod(s.at("d"), 07755);
    s.root.chown(s.at("d"), 4001, 4002);
    assertEquals(07755, s.root.stat(s.at("d")).permissions());
  }

  @Case(as = Case.As.ROOT)
  static void ownersChangeOfGroupClearsThem(Scene s) {
    arm(s, 06755);
    s.task(Scene.USER).chown(s.at("f"), -1, Scene.USER.groups().getFirst());
    assertMode(0755, s);
  }

  /** chmod(2): setgid is for members of the group only. */
  @Case(as = Case.As.ROOT)
  static void setgidIsForMembersOfTheGroup(Scene s) {
    arm(s, 0755);
    s.root.chown(s.at("f"), Scene.USER.uid(), 4002);
    s.task(Scene.USER).chmod(s.at("f"), 06755);
    assertMode(04755, s);
    s.root.chown(s.at("f"), Scene.USER.uid(), Scene.USER.groups().getFirst());
    s.task(Scene.USER).chmod(s.at("f"), 06755);
    assertMode(06755, s);
  }

  @Case(as = Case.As.ROOT)
  static void linkRenameAndTouchKeepThem(Scene s) {
    arm(s, 06755);
    var user = s.task(Scene.USER);
    s.root.chmod(s.dir, 0777);
    user.link(s.at("f"), s.at("g"));
    user.touch(s.at("f"));
    user.rename(s.at("g"), s.at("h"));
    assertMode(06755, s);
  }

  @Case(as = Case.As.ROOT)
  static void setuidProgramRunsAsItsOwner(Scene s) throws Exception {
    s.run("cp", "/usr/bin/id", s.at("id"));
    s.root.chown(s.at("id"), 4001, 4002);
    s.root.chmod(s.at("id"), 04755);
    assertEquals("4001", s.run(s.at("id"), "-u").strip());
  }

  @Case(as = Case.As.ROOT)
  static void writeAndChownTakeCapabilitiesAway(Scene s) {
    arm(s, 0777);
    s.root.setxattr(s.at("f"), CAPABILITY, NET_BIND, 0);
    assertEquals(NET_BIND.length, s.root.getxattr(s.at("f"), CAPABILITY).length);
    s.task(Scene.STRANGER).write(s.at("f"), "x");
    assertErrno(ENODATA, () -> s.root.getxattr(s.at("f"), CAPABILITY));
    s.root.setxattr(s.at("f"), CAPABILITY, NET_BIND, 0);
    s.root.chown(s.at("f"), 4001, -1);
    assertErrno(ENODATA, () -> s.root.getxattr(s.at("f"), CAPABILITY));
  }
}
