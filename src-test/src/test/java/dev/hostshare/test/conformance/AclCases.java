package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EACCES;
import static dev.hostshare.proto.Errno.EINVAL;
import static dev.hostshare.proto.Errno.ENODATA;
import static dev.hostshare.proto.Errno.EPERM;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_WRONLY;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** acl(5), through the extended attributes that setfacl(1) writes. */
final class AclCases {
  private static final String ACCESS = "system.posix_acl_access";
  private static final String DEFAULT = "system.posix_acl_default";
  private static final int USER_OBJ = 0x01;
  private static final int USER = 0x02;
  private static final int GROUP_OBJ = 0x04;
  private static final int GROUP = 0x08;
  private static final int MASK = 0x10;
  private static final int OTHER = 0x20;

  private AclCases() {}

  private record Entry(int tag, int permissions, int id) {
    Entry(int tag, int permissions) {
      this(tag, permissions, -1);
    }
  }

  /** {@code include/uapi/linux/posix_acl_xattr.h}: version 2, then tag, permissions, id. */
  private static byte[] acl(Entry... entries) {
    var buffer = ByteBuffer.allocate(4 + 8 * entries.length).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(2);
    for (var entry : entries) {
      buffer.putShort((short) entry.tag).putShort((short) entry.permissions).putInt(entry.id);
    }
    return buffer.array();
  }

  private static byte[] withUser(int uid, int permissions, int mask) {
    return acl(
        new Entry(USER_OBJ, 6),
        new Entry(USER, permissions, uid),
        new Entry(GROUP_OBJ, 4),
        new Entry(MASK, mask),
        new Entry(OTHER, 0));
  }

  @Case
  static void entryForAUserGrants(Scene s) {
    var stranger = s.task(Scene.STRANGER);
    s.me.write(s.at("f"), "x");
    s.me.chmod(s.at("f"), 0640);
    assertErrno(EACCES, () -> stranger.read(s.at("f")));
    byte[] acl = withUser(Scene.STRANGER.uid(), 6, 7);
    s.me.setxattr(s.at("f"), ACCESS, acl, 0);
    assertEquals("x", stranger.readText(s.at("f")));
    stranger.write(s.at("f"), "y");
    assertArrayEquals(acl, s.another().getxattr(s.at("f"), ACCESS));
    assertArrayEquals(new String[] {ACCESS}, s.me.listxattr(s.at("f")));
  }

  @Case
  static void maskLimitsAndIsTheGroupBits(Scene s) {
    var stranger = s.task(Scene.STRANGER);
    s.me.write(s.at("f"), "x");
    s.me.setxattr(s.at("f"), ACCESS, withUser(Scene.STRANGER.uid(), 6, 4), 0);
    assertEquals(0640, s.me.stat(s.at("f")).permissions());
    assertEquals("x", stranger.readText(s.at("f")));
    assertErrno(EACCES, () -> stranger.write(s.at("f"), ""));
    s.me.chmod(s.at("f"), 0660);
    assertArrayEquals(withUser(Scene.STRANGER.uid(), 6, 6), s.me.getxattr(s.at("f"), ACCESS));
    stranger.write(s.at("f"), "y");
    s.me.chmod(s.at("f"), 0600);
    assertErrno(EACCES, () -> stranger.read(s.at("f")));
  }

  @Case
  static void aclThatSaysNoMoreThanAModeIsOne(Scene s) {
    s.me.write(s.at("f"), "x");
    s.me.setxattr(
        s.at("f"),
        ACCESS,
        acl(new Entry(USER_OBJ, 7), new Entry(GROUP_OBJ, 5), new Entry(OTHER, 1)),
        0);
    assertEquals(0751, s.me.stat(s.at("f")).permissions());
    assertErrno(ENODATA, () -> s.me.getxattr(s.at("f"), ACCESS));
  }

  @Case
  static void removedAclLeavesTheMode(Scene s) {
    var stranger = s.task(Scene.STRANGER);
    s.me.write(s.at("f"), "x");
    s.me.setxattr(s.at("f"), ACCESS, withUser(Scene.STRANGER.uid(), 4, 4), 0);
    assertEquals("x", stranger.readText(s.at("f")));
    s.me.removexattr(s.at("f"), ACCESS);
    assertErrno(EACCES, () -> stranger.read(s.at("f")));
    assertEquals(0640, s.me.stat(s.at("f")).permissions());
  }

  @Case
  static void defaultAclTakesThePlaceOfTheUmask(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    byte[] inherited =
        acl(
            new Entry(USER_OBJ, 7),
            new Entry(USER, 7, Scene.STRANGER.uid()),
            new Entry(GROUP_OBJ, 5),
            new Entry(MASK, 7),
            new Entry(OTHER, 0));
    s.me.setxattr(s.at("d"), DEFAULT, inherited, 0);
    s.me.umask(0777);
    s.me.open(s.at("d/f"), O_CREAT | O_WRONLY, 0664).close();
    s.me.mkdir(s.at("d/e"), 0775);
    s.me.umask(0);
    // The mode asked for still limits: owner, mask and other are cut to it.
    assertEquals(0660, s.me.stat(s.at("d/f")).permissions());
    assertArrayEquals(
        acl(
            new Entry(USER_OBJ, 6),
            new Entry(USER, 7, Scene.STRANGER.uid()),
            new Entry(GROUP_OBJ, 5),
            new Entry(MASK, 6),
            new Entry(OTHER, 0)),
        s.me.getxattr(s.at("d/f"), ACCESS));
    assertErrno(ENODATA, EACCES, () -> s.me.getxattr(s.at("d/f"), DEFAULT));
    assertArrayEquals(inherited, s.me.getxattr(s.at("d/e"), DEFAULT));
    assertEquals(0770, s.me.stat(s.at("d/e")).permissions());
    var stranger = s.task(Scene.STRANGER);
    stranger.write(s.at("d/f"), "may");
    stranger.write(s.at("d/e/g"), "may");
  }

  @Case
  static void defaultAclIsForDirectories(Scene s) {
    s.me.write(s.at("f"), "");
    assertErrno(
        EACCES, () -> s.me.setxattr(s.at("f"), DEFAULT, withUser(Scene.STRANGER.uid(), 6, 6), 0));
  }

  @Case
  static void brokenAclIsRefused(Scene s) {
    s.me.write(s.at("f"), "");
    var noMask =
        acl(
            new Entry(USER_OBJ, 6),
            new Entry(USER, 6, 1),
            new Entry(GROUP_OBJ, 4),
            new Entry(OTHER, 0));
    assertErrno(EINVAL, () -> s.me.setxattr(s.at("f"), ACCESS, noMask, 0));
    assertErrno(EINVAL, () -> s.me.setxattr(s.at("f"), ACCESS, new byte[] {2, 0, 0, 0, 1}, 0));
  }

  @Case
  static void onlyTheOwnerSetsAnAcl(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.chmod(s.at("f"), 0666);
    assertErrno(
        EPERM,
        () ->
            s.task(Scene.STRANGER)
                .setxattr(s.at("f"), ACCESS, withUser(Scene.STRANGER.uid(), 6, 6), 0));
  }

  /** acl(5): an entry that names the user counts, and no group can add to it. */
  @Case(as = Case.As.ROOT)
  static void entryForAUserOverrulesHisGroups(Scene s) {
    var user = s.task(Scene.USER);
    s.root.write(s.at("f"), "x");
    s.root.setxattr(
        s.at("f"),
        ACCESS,
        acl(
            new Entry(USER_OBJ, 6),
            new Entry(USER, 0, Scene.USER.uid()),
            new Entry(GROUP_OBJ, 4),
            new Entry(GROUP, 6, Scene.USER.groups().getFirst()),
            new Entry(MASK, 7),
            new Entry(OTHER, 6)),
        0);
    assertErrno(EACCES, () -> user.read(s.at("f")));
  }

  @Case(as = Case.As.ROOT)
  static void entryForAGroupGrantsToItsMembers(Scene s) {
    s.root.write(s.at("f"), "x");
    s.root.setxattr(
        s.at("f"),
        ACCESS,
        acl(
            new Entry(USER_OBJ, 6),
            new Entry(GROUP_OBJ, 0),
            new Entry(GROUP, 4, Scene.USER.groups().getFirst()),
            new Entry(MASK, 7),
            new Entry(OTHER, 0)),
        0);
    assertEquals("x", s.task(Scene.USER).readText(s.at("f")));
    assertErrno(EACCES, () -> s.task(Scene.STRANGER).read(s.at("f")));
  }

  @Case(as = Case.As.ROOT)
  static void setfaclAndGetfaclAgree(Scene s) throws Exception {
    s.root.mkdir(s.at("d"), 0755);
    s.run("setfacl", "-m", "u:1001:rwx,g:1002:r-x,d:u:1001:rw-,d:g::r--", s.at("d"));
    var said = s.run("getfacl", "-nc", s.at("d"));
    for (var line :
        new String[] {
          "user:1001:rwx", "group:1002:r-x", "default:user:1001:rw-", "default:group::r--"
        }) {
      assertTrue(said.lines().anyMatch(line::equals), said);
    }
    s.run("setfacl", "-b", s.at("d"));
    assertEquals(0, s.root.listxattr(s.at("d")).length);
  }
}
