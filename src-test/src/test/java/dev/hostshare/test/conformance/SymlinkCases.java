package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EEXIST;
import static dev.hostshare.proto.Errno.EINVAL;
import static dev.hostshare.proto.Errno.ELOOP;
import static dev.hostshare.proto.Errno.ENAMETOOLONG;
import static dev.hostshare.proto.Errno.ENOENT;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.Linux;
import dev.hostshare.test.posix.Names;
import dev.hostshare.test.posix.Timespec;
import java.util.List;

/** symlink(2), readlink(2), symlink(7). */
final class SymlinkCases {
  private SymlinkCases() {}

  @Case
  static void sizeIsTheLengthOfTheTarget(Scene s) {
    for (var target : List.of("t", "../some/where", Names.utf8("grün"), "x".repeat(3000))) {
      s.me.symlink(target, s.at("l"));
      var stat = s.me.lstat(s.at("l"));
      assertEquals(target.length(), stat.size());
      assertEquals(Linux.S_IFLNK | 0777, stat.mode());
      assertEquals(target, s.me.readlink(s.at("l")));
      s.me.unlink(s.at("l"));
    }
  }

  @Case
  static void targetMayBeAnything(Scene s) {
    var all = new StringBuilder();
    for (char b = 1; b < 256; b++) {
      all.append(b);
    }
    var targets = List.of("/absolute/nowhere", ".", "..", "a//b/", all.toString());
    for (int i = 0; i < targets.size(); i++) {
      s.me.symlink(targets.get(i), s.at("l" + i));
      assertEquals(targets.get(i), s.another().readlink(s.at("l" + i)));
    }
  }

  @Case
  static void targetHasLimits(Scene s) {
    assertErrno(ENOENT, () -> s.me.symlink("", s.at("l")));
    assertErrno(ENAMETOOLONG, () -> s.me.symlink("x".repeat(4096), s.at("l")));
    s.me.symlink("x".repeat(4095), s.at("l"));
    assertEquals("x".repeat(4095), s.me.readlink(s.at("l")));
  }

  @Case
  static void isFollowedRelativeToItsFolder(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("d/f"), "x");
    s.me.symlink("f", s.at("d/l"));
    s.me.symlink("d", s.at("m"));
    s.me.symlink(s.at("d/f"), s.at("absolute"));
    assertEquals("x", s.me.readText(s.at("d/l")));
    assertEquals("x", s.me.readText(s.at("m/l")));
    assertEquals("x", s.me.readText(s.at("absolute")));
    assertTrue(s.me.stat(s.at("m")).isDirectory());
  }

  @Case
  static void danglesUntilItsTargetIsThere(Scene s) {
    s.me.symlink("later", s.at("l"));
    assertErrno(ENOENT, () -> s.me.stat(s.at("l")));
    s.me.write(s.at("later"), "x");
    assertEquals("x", s.me.readText(s.at("l")));
    s.me.unlink(s.at("later"));
    assertErrno(ENOENT, () -> s.me.readText(s.at("l")));
  }

  @Case
  static void loopIsAnError(Scene s) {
    s.me.symlink("b", s.at("a"));
    s.me.symlink("a", s.at("b"));
    s.me.symlink("self", s.at("self"));
    for (var name : List.of("a", "b", "self", "a/x")) {
      assertErrno(ELOOP, () -> s.me.stat(s.at(name)));
      assertErrno(ELOOP, () -> s.me.open(s.at(name), Linux.O_RDONLY));
      assertErrno(ELOOP, () -> s.me.chmod(s.at(name), 0644));
    }
  }

  @Case
  static void nameInUseCannotBeMadeASymlink(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.mkdir(s.at("d"), 0755);
    assertErrno(EEXIST, () -> s.me.symlink("x", s.at("f")));
    assertErrno(EEXIST, () -> s.me.symlink("x", s.at("d")));
  }

  @Case
  static void onlySymlinksAreReadAsSuch(Scene s) {
    s.me.write(s.at("f"), "");
    assertErrno(EINVAL, () -> s.me.readlink(s.at("f")));
    assertErrno(EINVAL, () -> s.me.readlink(s.dir));
  }

  @Case
  static void changesGoToTheTargetUnlessAskedOtherwise(Scene s) {
    s.me.write(s.at("f"), "x");
    s.me.symlink("f", s.at("l"));
    s.me.chmod(s.at("l"), 0600);
    assertEquals(0600, s.me.stat(s.at("f")).permissions());
    assertEquals(0777, s.me.lstat(s.at("l")).permissions());
    s.root.chown(s.at("l"), 4001, 4002);
    assertEquals(4001, s.me.stat(s.at("f")).uid());
    assertEquals(s.me.identity().uid(), s.me.lstat(s.at("l")).uid());
    s.root.lchown(s.at("l"), 4003, 4004);
    assertEquals(4003, s.me.lstat(s.at("l")).uid());
    assertEquals(4004, s.me.lstat(s.at("l")).gid());
    assertEquals(4001, s.me.stat(s.at("f")).uid());
    var time = new Timespec(1_000_000_000, 123);
    s.root.lutimens(s.at("l"), time, time);
    assertEquals(time, s.me.lstat(s.at("l")).mtime());
    assertTrue(s.me.stat(s.at("f")).mtime().isAfter(time));
  }

  @Case
  static void unlinkAndRenameTakeTheSymlinkItself(Scene s) {
    s.me.write(s.at("f"), "x");
    s.me.symlink("f", s.at("l"));
    s.me.rename(s.at("l"), s.at("m"));
    assertEquals("f", s.me.readlink(s.at("m")));
    s.me.unlink(s.at("m"));
    assertEquals("x", s.me.readText(s.at("f")));
  }
}
