package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EACCES;
import static dev.hostshare.proto.Errno.EEXIST;
import static dev.hostshare.proto.Errno.ENODATA;
import static dev.hostshare.proto.Errno.EOPNOTSUPP;
import static dev.hostshare.proto.Errno.EPERM;
import static dev.hostshare.proto.Errno.ERANGE;
import static dev.hostshare.proto.Linux.S_IFIFO;
import static dev.hostshare.proto.Linux.XATTR_CREATE;
import static dev.hostshare.proto.Linux.XATTR_REPLACE;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** xattr(7). Values stay below what an ext4 block holds, so that the suite is right there, too. */
final class XattrCases {
  private XattrCases() {}

  @Case
  static void attributesAreKept(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.mkdir(s.at("d"), 0755);
    for (var name : new String[] {"f", "d"}) {
      byte[] value = {0, 1, (byte) 0xff, '\n', 0};
      s.me.setxattr(s.at(name), "user.binary", value, 0);
      s.me.setxattr(s.at(name), "user.empty", new byte[0], 0);
      s.me.setxattr(s.at(name), "user.big", new byte[2000], 0);
      assertArrayEquals(value, s.another().getxattr(s.at(name), "user.binary"));
      assertArrayEquals(new byte[0], s.me.getxattr(s.at(name), "user.empty"));
      assertEquals(2000, s.me.getxattr(s.at(name), "user.big").length);
      assertArrayEquals(
          new String[] {"user.big", "user.binary", "user.empty"}, s.me.listxattr(s.at(name)));
      s.me.setxattr(s.at(name), "user.binary", new byte[] {7}, 0);
      assertArrayEquals(new byte[] {7}, s.me.getxattr(s.at(name), "user.binary"));
      s.me.removexattr(s.at(name), "user.big");
      assertArrayEquals(new String[] {"user.binary", "user.empty"}, s.me.listxattr(s.at(name)));
    }
  }

  @Case
  static void missingAttributeIsNoData(Scene s) {
    s.me.write(s.at("f"), "");
    assertErrno(ENODATA, () -> s.me.getxattr(s.at("f"), "user.no"));
    assertErrno(ENODATA, () -> s.me.removexattr(s.at("f"), "user.no"));
    assertEquals(0, s.me.listxattr(s.at("f")).length);
  }

  @Case
  static void flagsSayWhetherItMayBeThere(Scene s) {
    s.me.write(s.at("f"), "");
    assertErrno(ENODATA, () -> s.me.setxattr(s.at("f"), "user.a", new byte[] {1}, XATTR_REPLACE));
    s.me.setxattr(s.at("f"), "user.a", new byte[] {1}, XATTR_CREATE);
    assertErrno(EEXIST, () -> s.me.setxattr(s.at("f"), "user.a", new byte[] {2}, XATTR_CREATE));
    assertArrayEquals(new byte[] {1}, s.me.getxattr(s.at("f"), "user.a"));
    s.me.setxattr(s.at("f"), "user.a", new byte[] {2}, XATTR_REPLACE);
    assertArrayEquals(new byte[] {2}, s.me.getxattr(s.at("f"), "user.a"));
  }

  @Case
  static void sizeIsAskedForFirst(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.setxattr(s.at("f"), "user.a", new byte[100], 0);
    assertEquals(100, s.me.getxattrSize(s.at("f"), "user.a", 0));
    assertEquals(100, s.me.getxattrSize(s.at("f"), "user.a", 100));
    assertErrno(ERANGE, () -> s.me.getxattrSize(s.at("f"), "user.a", 99));
  }

  @Case
  static void nameHasAtMost255Bytes(Scene s) {
    s.me.write(s.at("f"), "");
    var longest = "user." + "x".repeat(250);
    s.me.setxattr(s.at("f"), longest, new byte[] {1}, 0);
    assertArrayEquals(new String[] {longest}, s.me.listxattr(s.at("f")));
    assertErrno(ERANGE, () -> s.me.setxattr(s.at("f"), longest + "x", new byte[1], 0));
    assertErrno(EOPNOTSUPP, () -> s.me.setxattr(s.at("f"), "nobody.a", new byte[1], 0));
  }

  @Case
  static void userAttributesAreForFilesAndDirectories(Scene s) {
    s.me.symlink("nowhere", s.at("l"));
    s.me.mknod(s.at("p"), S_IFIFO | 0644, 0, 0);
    assertErrno(EPERM, () -> s.me.lsetxattr(s.at("l"), "user.a", new byte[1], 0));
    assertErrno(EPERM, () -> s.me.setxattr(s.at("p"), "user.a", new byte[1], 0));
  }

  @Case(as = Case.As.USER)
  static void userAttributesFollowTheMode(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.setxattr(s.at("f"), "user.a", new byte[1], 0);
    s.me.chmod(s.at("f"), 0400);
    assertErrno(EACCES, () -> s.me.setxattr(s.at("f"), "user.a", new byte[1], 0));
    assertErrno(EACCES, () -> s.me.removexattr(s.at("f"), "user.a"));
    assertEquals(1, s.me.getxattr(s.at("f"), "user.a").length);
    s.me.chmod(s.at("f"), 0200);
    assertErrno(EACCES, () -> s.me.getxattr(s.at("f"), "user.a"));
  }

  @Case(as = Case.As.ROOT)
  static void trustedAttributesAreForRoot(Scene s) {
    s.root.write(s.at("f"), "");
    s.root.chmod(s.at("f"), 0666);
    s.root.setxattr(s.at("f"), "trusted.a", new byte[] {1}, 0);
    var user = s.task(Scene.USER);
    assertErrno(ENODATA, () -> user.getxattr(s.at("f"), "trusted.a"));
    assertErrno(EPERM, () -> user.setxattr(s.at("f"), "trusted.a", new byte[1], 0));
    assertArrayEquals(new byte[] {1}, s.root.getxattr(s.at("f"), "trusted.a"));
  }

  @Case
  static void attributesBelongToTheFileNotTheName(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.setxattr(s.at("f"), "user.a", new byte[] {1}, 0);
    s.me.link(s.at("f"), s.at("g"));
    s.me.rename(s.at("f"), s.at("h"));
    assertArrayEquals(new byte[] {1}, s.me.getxattr(s.at("g"), "user.a"));
    s.me.setxattr(s.at("g"), "user.a", new byte[] {2}, 0);
    assertArrayEquals(new byte[] {2}, s.me.getxattr(s.at("h"), "user.a"));
    s.me.write(s.at("new"), "");
    s.me.rename(s.at("new"), s.at("h"));
    assertEquals(0, s.me.listxattr(s.at("h")).length);
  }
}
