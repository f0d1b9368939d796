package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EACCES;
import static dev.hostshare.proto.Errno.EEXIST;
import static dev.hostshare.proto.Errno.EINVAL;
import static dev.hostshare.proto.Errno.EISDIR;
import static dev.hostshare.proto.Errno.ENOENT;
import static dev.hostshare.proto.Errno.ENOTDIR;
import static dev.hostshare.proto.Errno.ENOTEMPTY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.proto.Linux.RENAME_EXCHANGE;
import static dev.hostshare.proto.Linux.RENAME_NOREPLACE;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** rename(2), renameat2(2). */
final class RenameCases {
  private RenameCases() {}

  @Case
  static void renamedFileIsTheSameFile(Scene s) {
    s.me.write(s.at("a"), "x");
    s.me.chmod(s.at("a"), 0604);
    s.root.chown(s.at("a"), 4001, 4002);
    var before = s.me.stat(s.at("a"));
    s.me.rename(s.at("a"), s.at("b"));
    assertErrno(ENOENT, () -> s.me.stat(s.at("a")));
    var after = s.me.stat(s.at("b"));
    assertEquals(before.ino(), after.ino());
    assertEquals(before.mode(), after.mode());
    assertEquals(4001, after.uid());
    assertEquals(4002, after.gid());
    assertEquals(before.mtime(), after.mtime());
  }

  @Case
  static void renameReplacesAtOnce(Scene s) {
    s.me.write(s.at("new"), "new");
    s.me.write(s.at("old"), "old");
    try (var replaced = s.me.open(s.at("old"), O_RDWR)) {
      s.me.rename(s.at("new"), s.at("old"));
      assertEquals("new", s.me.readText(s.at("old")));
      assertEquals("old", replaced.preadText(10, 0));
      assertEquals(0, replaced.stat().nlink());
    }
  }

  @Case
  static void replacedFileTakesNothingAlong(Scene s) {
    s.me.write(s.at("old"), "old");
    s.root.chown(s.at("old"), 4001, 4002);
    s.root.chmod(s.at("old"), 0600);
    s.me.write(s.at("new"), "new");
    s.root.rename(s.at("new"), s.at("old"));
    var stat = s.me.stat(s.at("old"));
    assertEquals(s.me.identity().uid(), stat.uid());
    assertEquals(0644, stat.permissions());
  }

  @Case
  static void emptyDirectoryIsReplacedByADirectory(Scene s) {
    s.me.mkdir(s.at("a"), 0755);
    s.me.write(s.at("a/f"), "x");
    s.me.mkdir(s.at("b"), 0755);
    s.me.rename(s.at("a"), s.at("b"));
    assertEquals("x", s.me.readText(s.at("b/f")));
    s.me.mkdir(s.at("c"), 0755);
    assertErrno(ENOTEMPTY, EEXIST, () -> s.me.rename(s.at("c"), s.at("b")));
  }

  @Case
  static void kindsDoNotReplaceEachOther(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("f"), "");
    s.me.symlink("d", s.at("l"));
    assertErrno(ENOTDIR, () -> s.me.rename(s.at("d"), s.at("f")));
    assertErrno(EISDIR, () -> s.me.rename(s.at("f"), s.at("d")));
    assertErrno(ENOTDIR, () -> s.me.rename(s.at("d"), s.at("l")));
    s.me.rename(s.at("f"), s.at("l"));
    assertFalse(s.me.lstat(s.at("l")).isDirectory());
  }

  @Case
  static void directoryDoesNotGoIntoItself(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.mkdir(s.at("d/e"), 0755);
    assertErrno(EINVAL, () -> s.me.rename(s.at("d"), s.at("d/x")));
    assertErrno(EINVAL, () -> s.me.rename(s.at("d"), s.at("d/e/x")));
    assertErrno(ENOTEMPTY, () -> s.me.rename(s.at("d/e"), s.at("d")));
    s.me.rename(s.at("d"), s.at("d"));
    assertTrue(s.me.exists(s.at("d/e")));
  }

  @Case
  static void twoNamesOfOneFileBothStay(Scene s) {
    s.me.write(s.at("a"), "x");
    s.me.link(s.at("a"), s.at("b"));
    s.me.rename(s.at("a"), s.at("b"));
    assertTrue(s.me.exists(s.at("a")));
    assertTrue(s.me.exists(s.at("b")));
    assertEquals(2, s.me.stat(s.at("a")).nlink());
  }

  @Case
  static void treeMovesWithItsDirectory(Scene s) {
    s.me.mkdir(s.at("a"), 0755);
    s.me.mkdir(s.at("a/b"), 0755);
    s.me.write(s.at("a/b/f"), "x");
    s.me.mkdir(s.at("target"), 0755);
    long parent = s.me.stat(s.at("target")).ino();
    var other = s.another();
    assertEquals("x", other.readText(s.at("a/b/f")));
    s.me.rename(s.at("a"), s.at("target/c"));
    assertEquals("x", other.readText(s.at("target/c/b/f")));
    assertErrno(ENOENT, () -> other.stat(s.at("a/b/f")));
    assertEquals(parent, other.stat(s.at("target/c/..")).ino());
  }

  @Case
  static void noreplaceKeepsWhatIsThere(Scene s) {
    s.me.write(s.at("a"), "a");
    s.me.write(s.at("b"), "b");
    assertErrno(EEXIST, () -> s.me.rename(s.at("a"), s.at("b"), RENAME_NOREPLACE));
    assertEquals("a", s.me.readText(s.at("a")));
    assertEquals("b", s.me.readText(s.at("b")));
    s.me.rename(s.at("a"), s.at("c"), RENAME_NOREPLACE);
    assertEquals("a", s.me.readText(s.at("c")));
  }

  @Case
  static void exchangeSwapsAnyTwo(Scene s) {
    s.me.write(s.at("f"), "x");
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("d/g"), "y");
    s.me.mkdir(s.at("e"), 0755);
    s.me.write(s.at("e/h"), "z");
    s.me.rename(s.at("f"), s.at("d"), RENAME_EXCHANGE);
    assertEquals("x", s.me.readText(s.at("d")));
    assertEquals("y", s.me.readText(s.at("f/g")));
    s.me.rename(s.at("d"), s.at("e/h"), RENAME_EXCHANGE);
    assertEquals("z", s.me.readText(s.at("d")));
    assertEquals("x", s.me.readText(s.at("e/h")));
    assertErrno(ENOENT, () -> s.me.rename(s.at("d"), s.at("no"), RENAME_EXCHANGE));
    assertErrno(
        EINVAL, () -> s.me.rename(s.at("d"), s.at("f"), RENAME_EXCHANGE | RENAME_NOREPLACE));
  }

  @Case
  static void unknownFlagIsRefused(Scene s) {
    s.me.write(s.at("a"), "");
    assertErrno(EINVAL, () -> s.me.rename(s.at("a"), s.at("b"), 1 << 10));
  }

  @Case
  static void openFileGoesOnAfterARename(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("d/f"), "x");
    try (var fd = s.me.open(s.at("d/f"), O_RDWR)) {
      s.me.rename(s.at("d/f"), s.at("g"));
      s.me.rmdir(s.at("d"));
      fd.pwrite("y", 0);
      fd.fsync();
    }
    assertEquals("y", s.me.readText(s.at("g")));
  }

  /** The directory's ".." changes: it must be writable for who moves it. */
  @Case(as = Case.As.ROOT)
  static void movingADirectoryTakesWritePermissionOnIt(Scene s) {
    s.root.mkdir(s.at("from"), 0777);
    s.root.mkdir(s.at("to"), 0777);
    s.root.mkdir(s.at("from/d"), 0755);
    var user = s.task(Scene.USER);
    user.rename(s.at("from/d"), s.at("from/e"));
    assertErrno(EACCES, () -> user.rename(s.at("from/e"), s.at("to/e")));
    s.root.chmod(s.at("from/e"), 0777);
    user.rename(s.at("from/e"), s.at("to/e"));
  }
}
