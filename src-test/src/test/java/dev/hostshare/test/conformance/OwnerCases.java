package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EPERM;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.hostshare.proto.Linux;
import dev.hostshare.test.posix.Stat;

/** chown(2): who owns what, and who may give it away. */
final class OwnerCases {
  private OwnerCases() {}

  @Case
  static void rootGivesAnythingToAnyone(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.mkdir(s.at("d"), 0755);
    s.me.mknod(s.at("p"), Linux.S_IFIFO | 0644, 0, 0);
    for (var name : new String[] {"f", "d", "p"}) {
      for (int id : new int[] {1, 999, 65534, 65536, 1_000_000, -2}) {
        s.root.chown(s.at(name), id, id);
        assertOwner(id, id, s.another().stat(s.at(name)));
      }
    }
  }

  @Case
  static void minusOneLeavesAnIdAlone(Scene s) {
    s.me.write(s.at("f"), "");
    s.root.chown(s.at("f"), 4001, 4002);
    s.root.chown(s.at("f"), -1, 4003);
    assertOwner(4001, 4003, s.me.stat(s.at("f")));
    s.root.chown(s.at("f"), 4004, -1);
    assertOwner(4004, 4003, s.me.stat(s.at("f")));
    s.root.chown(s.at("f"), -1, -1);
    assertOwner(4004, 4003, s.me.stat(s.at("f")));
  }

  @Case
  static void descriptorWillDo(Scene s) {
    s.me.write(s.at("f"), "");
    try (var fd = s.root.open(s.at("f"), O_RDWR)) {
      fd.chown(4001, 4002);
      assertOwner(4001, 4002, fd.stat());
      fd.chmod(0640);
    }
    assertOwner(4001, 4002, s.me.stat(s.at("f")));
    assertEquals(0640, s.me.stat(s.at("f")).permissions());
  }

  @Case
  static void ownerSurvivesAChangeOfContent(Scene s) {
    s.me.write(s.at("f"), "x");
    s.root.chown(s.at("f"), 4001, 4002);
    s.root.chmod(s.at("f"), 0666);
    s.me.write(s.at("f"), "longer");
    assertOwner(4001, 4002, s.me.stat(s.at("f")));
    assertEquals(0666, s.me.stat(s.at("f")).permissions());
  }

  @Case
  static void whoMakesAFileOwnsIt(Scene s) {
    s.root.chmod(s.dir, 0777);
    for (var who : new dev.hostshare.test.posix.Identity[] {Scene.USER, Scene.STRANGER}) {
      var task = s.task(who);
      task.write(s.at("f" + who.uid()), "");
      task.mkdir(s.at("d" + who.uid()), 0755);
      task.symlink("x", s.at("l" + who.uid()));
      assertOwner(who.uid(), who.gid(), s.me.stat(s.at("f" + who.uid())));
      assertOwner(who.uid(), who.gid(), s.me.stat(s.at("d" + who.uid())));
      assertOwner(who.uid(), who.gid(), s.me.lstat(s.at("l" + who.uid())));
    }
  }

  @Case(as = Case.As.USER)
  static void ordinaryUserCannotGiveAway(Scene s) {
    s.me.write(s.at("f"), "");
    assertErrno(EPERM, () -> s.me.chown(s.at("f"), Scene.STRANGER.uid(), -1));
    assertErrno(EPERM, () -> s.me.chown(s.at("f"), -1, Scene.STRANGER.gid()));
    s.me.chown(s.at("f"), s.me.identity().uid(), -1);
    s.me.chown(s.at("f"), -1, s.me.identity().groups().getFirst());
    assertOwner(s.me.identity().uid(), s.me.identity().groups().getFirst(), s.me.stat(s.at("f")));
  }

  @Case(as = Case.As.USER)
  static void ordinaryUserCannotTakeOver(Scene s) {
    s.root.write(s.at("f"), "");
    s.root.chmod(s.at("f"), 0666);
    assertErrno(EPERM, () -> s.me.chown(s.at("f"), s.me.identity().uid(), -1));
    assertErrno(EPERM, () -> s.me.chown(s.at("f"), -1, s.me.identity().gid()));
    assertErrno(EPERM, () -> s.me.chmod(s.at("f"), 0777));
    assertOwner(0, 0, s.me.stat(s.at("f")));
  }

  @Case
  static void everyPermissionBitIsKept(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("f"), "");
    for (int mode = 0; mode <= 07777; mode += 0111) {
      s.root.chmod(s.at("f"), mode);
      assertEquals(mode, s.root.stat(s.at("f")).permissions());
      s.root.chmod(s.at("d"), mode);
      assertEquals(mode, s.root.stat(s.at("d")).permissions());
    }
    s.root.chmod(s.at("d"), 0755);
  }

  private static void assertOwner(int uid, int gid, Stat stat) {
    assertEquals(uid, stat.uid());
    assertEquals(gid, stat.gid());
  }
}
