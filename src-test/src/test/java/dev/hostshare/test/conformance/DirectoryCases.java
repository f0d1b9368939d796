package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EEXIST;
import static dev.hostshare.proto.Errno.EISDIR;
import static dev.hostshare.proto.Errno.ENOENT;
import static dev.hostshare.proto.Errno.ENOTDIR;
import static dev.hostshare.proto.Errno.ENOTEMPTY;
import static dev.hostshare.proto.Errno.EPERM;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_DIRECTORY;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_WRONLY;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.test.posix.Identity;
import java.util.List;

/** mkdir(2), rmdir(2), and what directories pass on to what is made in them. */
final class DirectoryCases {
  private DirectoryCases() {}

  @Case
  static void newDirectoryHasModeOwnerAndTwoLinks(Scene s) {
    s.me.mkdir(s.at("d"), 0751);
    var stat = s.me.stat(s.at("d"));
    assertTrue(stat.isDirectory());
    assertEquals(0751, stat.permissions());
    assertEquals(s.me.identity().uid(), stat.uid());
    assertEquals(s.me.identity().gid(), stat.gid());
    assertEquals(2, stat.nlink());
  }

  @Case
  static void subdirectoriesCountAsLinks(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.mkdir(s.at("d/a"), 0755);
    s.me.mkdir(s.at("d/b"), 0755);
    s.me.write(s.at("d/f"), "");
    assertEquals(4, s.me.stat(s.at("d")).nlink());
    s.me.rmdir(s.at("d/a"));
    assertEquals(3, s.me.stat(s.at("d")).nlink());
    s.me.rename(s.at("d/b"), s.at("b"));
    assertEquals(2, s.me.stat(s.at("d")).nlink());
  }

  @Case
  static void nameInUseCannotBeMadeADirectory(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("f"), "");
    s.me.symlink("nowhere", s.at("l"));
    for (var name : List.of("d", "f", "l")) {
      assertErrno(EEXIST, () -> s.me.mkdir(s.at(name), 0755));
    }
  }

  @Case
  static void onlyAnEmptyDirectoryIsRemoved(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.mkdir(s.at("d/e"), 0755);
    s.me.write(s.at("f"), "");
    s.me.symlink("d", s.at("l"));
    assertErrno(ENOTEMPTY, () -> s.me.rmdir(s.at("d")));
    assertErrno(ENOTDIR, () -> s.me.rmdir(s.at("f")));
    assertErrno(ENOTDIR, () -> s.me.rmdir(s.at("l")));
    s.me.rmdir(s.at("d/e"));
    s.me.rmdir(s.at("d"));
    assertErrno(ENOENT, () -> s.me.stat(s.at("d")));
  }

  @Case
  static void directoryCannotBeUnlinkedNorLinked(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    assertErrno(EISDIR, EPERM, () -> s.me.unlink(s.at("d")));
    assertErrno(EPERM, () -> s.me.link(s.at("d"), s.at("e")));
    assertTrue(s.me.stat(s.at("d")).isDirectory());
  }

  /** The open directory is still one, but nothing is listed or made in it any more. */
  @Case
  static void removedDirectoryStaysOpenAndDead(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    try (var fd = s.me.open(s.at("d"), O_RDONLY | O_DIRECTORY)) {
      s.me.rmdir(s.at("d"));
      assertErrno(ENOENT, fd::listAll);
      assertEquals(0, fd.stat().nlink());
      var here = "/proc/thread-self/fd/" + fd.number() + "/new";
      assertErrno(ENOENT, () -> s.me.open(here, O_CREAT | O_WRONLY, 0644));
      assertErrno(ENOENT, () -> s.me.mkdir(here, 0755));
    }
  }

  @Case
  static void workingDirectoryMayBeRemoved(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.chdir(s.at("d"));
    assertEquals(s.at("d"), s.me.getcwd());
    s.another().rmdir(s.at("d"));
    assertErrno(ENOENT, s.me::getcwd);
    assertErrno(ENOENT, () -> s.me.write("f", ""));
    assertErrno(ENOENT, () -> s.me.mkdir("e", 0755));
    assertEquals(0, s.me.stat(".").nlink());
    s.me.chdir(s.dir);
    assertEquals(s.dir, s.me.getcwd());
  }

  @Case
  static void workingDirectoryFollowsARename(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.chdir(s.at("d"));
    s.another().rename(s.at("d"), s.at("e"));
    assertEquals(s.at("e"), s.me.getcwd());
    s.me.write("f", "x");
    assertEquals("x", s.me.readText(s.at("e/f")));
    s.me.chdir("/");
  }

  /** inode(7): a setgid directory passes its group on, and to directories the bit, too. */
  @Case(as = Case.As.ROOT)
  static void setgidDirectoryPassesItsGroupOn(Scene s) {
    s.root.mkdir(s.at("d"), 0755);
    s.root.chown(s.at("d"), Scene.USER.uid(), 3001);
    s.root.chmod(s.at("d"), 02775);
    var user = s.task(new Identity(Scene.USER.uid(), Scene.USER.gid(), List.of(3001)));
    user.write(s.at("d/f"), "");
    user.mkdir(s.at("d/e"), 0755);
    user.symlink("x", s.at("d/l"));
    user.mknod(s.at("d/p"), dev.hostshare.proto.Linux.S_IFIFO | 0644, 0, 0);
    assertEquals(3001, user.stat(s.at("d/f")).gid());
    assertEquals(3001, user.stat(s.at("d/e")).gid());
    assertEquals(3001, user.lstat(s.at("d/l")).gid());
    assertEquals(3001, user.stat(s.at("d/p")).gid());
    assertEquals(0644, user.stat(s.at("d/f")).permissions());
    assertEquals(02755, user.stat(s.at("d/e")).permissions());
    user.write(s.at("d/e/g"), "");
    assertEquals(3001, user.stat(s.at("d/e/g")).gid());
  }

  /** Who is not in the directory's group cannot make a program that runs with it. */
  @Case(as = Case.As.ROOT)
  static void setgidFileIsNotMadeForAForeignGroup(Scene s) {
    s.root.mkdir(s.at("d"), 0755);
    s.root.chown(s.at("d"), 0, 3001);
    s.root.chmod(s.at("d"), 02777);
    var user = s.task(Scene.USER);
    user.open(s.at("d/f"), O_CREAT | O_WRONLY, 02775).close();
    assertEquals(3001, user.stat(s.at("d/f")).gid());
    assertEquals(0775, user.stat(s.at("d/f")).permissions());
  }

  /** unlink(2), rename(2): in a sticky directory only the owner of entry or directory may. */
  @Case(as = Case.As.ROOT)
  static void stickyDirectoryProtectsWhatOthersOwn(Scene s) {
    s.root.mkdir(s.at("tmp"), 01777);
    var user = s.task(Scene.USER);
    var stranger = s.task(Scene.STRANGER);
    user.write(s.at("tmp/f"), "");
    user.mkdir(s.at("tmp/d"), 0777);
    stranger.write(s.at("tmp/theirs"), "");
    assertErrno(EPERM, () -> stranger.unlink(s.at("tmp/f")));
    assertErrno(EPERM, () -> stranger.rmdir(s.at("tmp/d")));
    assertErrno(EPERM, () -> stranger.rename(s.at("tmp/f"), s.at("tmp/g")));
    assertErrno(EPERM, () -> stranger.rename(s.at("tmp/theirs"), s.at("tmp/f")));
    user.rename(s.at("tmp/f"), s.at("tmp/g"));
    user.unlink(s.at("tmp/g"));
    s.root.unlink(s.at("tmp/theirs"));
    assertEquals(01777, s.root.stat(s.at("tmp")).permissions());
  }

  @Case
  static void deepTreeIsReachable(Scene s) {
    var path = new StringBuilder(s.dir);
    for (int depth = 0; depth < 100; depth++) {
      path.append("/d").append(depth);
      s.me.mkdir(path.toString(), 0755);
    }
    s.me.write(path + "/leaf", "deep");
    assertEquals("deep", s.another().readText(path + "/leaf"));
  }
}
