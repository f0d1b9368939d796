package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EEXIST;
import static dev.hostshare.proto.Errno.ENOENT;
import static dev.hostshare.proto.Errno.EXDEV;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.hostshare.proto.Linux;
import java.util.List;

/** link(2), unlink(2). */
final class LinkCases {
  private LinkCases() {}

  @Case
  static void hardLinksAreOneFile(Scene s) {
    s.me.write(s.at("a"), "one");
    s.me.link(s.at("a"), s.at("b"));
    assertEquals(s.me.stat(s.at("a")).ino(), s.me.stat(s.at("b")).ino());
    assertEquals(2, s.me.stat(s.at("a")).nlink());
    assertEquals(2, s.me.stat(s.at("b")).nlink());
    s.me.write(s.at("b"), "two");
    assertEquals("two", s.me.readText(s.at("a")));
    s.me.chmod(s.at("a"), 0604);
    assertEquals(0604, s.me.stat(s.at("b")).permissions());
    s.root.chown(s.at("b"), 4001, 4002);
    assertEquals(4001, s.me.stat(s.at("a")).uid());
    assertEquals(4002, s.me.stat(s.at("a")).gid());
  }

  @Case
  static void fileLivesUntilItsLastNameIsGone(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("a"), "x");
    s.me.link(s.at("a"), s.at("d/b"));
    s.me.link(s.at("a"), s.at("c"));
    assertEquals(3, s.me.stat(s.at("a")).nlink());
    s.me.unlink(s.at("a"));
    assertErrno(ENOENT, () -> s.me.stat(s.at("a")));
    assertEquals(2, s.me.stat(s.at("c")).nlink());
    s.me.unlink(s.at("c"));
    assertEquals(1, s.me.stat(s.at("d/b")).nlink());
    assertEquals("x", s.me.readText(s.at("d/b")));
  }

  @Case
  static void linkDoesNotReplace(Scene s) {
    s.me.write(s.at("a"), "a");
    s.me.write(s.at("b"), "b");
    s.me.mkdir(s.at("d"), 0755);
    s.me.symlink("nowhere", s.at("l"));
    for (var name : List.of("a", "b", "d", "l")) {
      assertErrno(EEXIST, () -> s.me.link(s.at("a"), s.at(name)));
    }
    assertEquals("b", s.me.readText(s.at("b")));
  }

  @Case
  static void symlinksAndFifosCanBeLinked(Scene s) {
    s.me.symlink("target", s.at("l"));
    s.me.link(s.at("l"), s.at("m"));
    assertEquals("target", s.me.readlink(s.at("m")));
    assertEquals(s.me.lstat(s.at("l")).ino(), s.me.lstat(s.at("m")).ino());
    s.me.mknod(s.at("p"), Linux.S_IFIFO | 0644, 0, 0);
    s.me.link(s.at("p"), s.at("q"));
    assertEquals(Linux.S_IFIFO | 0644, s.me.stat(s.at("q")).mode());
    assertEquals(2, s.me.stat(s.at("p")).nlink());
  }

  @Case
  static void linksDoNotCrossFileSystems(Scene s) {
    s.me.write(s.at("a"), "");
    var elsewhere = "/dev/shm/hostshare-conformance-" + s.me.stat(s.at("a")).ino();
    assertErrno(EXDEV, () -> s.me.link(s.at("a"), elsewhere));
    assertErrno(EXDEV, () -> s.me.rename(s.at("a"), elsewhere));
    s.me.write(elsewhere, "");
    try {
      assertErrno(EXDEV, () -> s.me.link(elsewhere, s.at("b")));
      assertErrno(EXDEV, () -> s.me.rename(elsewhere, s.at("b")));
    } finally {
      s.me.unlink(elsewhere);
    }
  }

  @Case
  static void inodeNumbersAreStableAndTellFilesApart(Scene s) {
    s.me.write(s.at("a"), "");
    s.me.write(s.at("b"), "");
    s.me.mkdir(s.at("d"), 0755);
    long ino = s.me.stat(s.at("a")).ino();
    assertNotEquals(ino, s.me.stat(s.at("b")).ino());
    s.me.rename(s.at("a"), s.at("d/c"));
    assertEquals(ino, s.another().stat(s.at("d/c")).ino());
    assertEquals(s.me.stat(s.dir).dev(), s.me.stat(s.at("d/c")).dev());
  }
}
