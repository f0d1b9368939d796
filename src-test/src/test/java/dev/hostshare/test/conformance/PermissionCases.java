package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EACCES;
import static dev.hostshare.proto.Errno.EPERM;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_DIRECTORY;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.proto.Linux.O_TRUNC;
import static dev.hostshare.proto.Linux.O_WRONLY;
import static dev.hostshare.proto.Linux.R_OK;
import static dev.hostshare.proto.Linux.W_OK;
import static dev.hostshare.proto.Linux.X_OK;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.test.posix.ErrnoException;
import dev.hostshare.test.posix.Identity;
import dev.hostshare.test.posix.Task;
import java.util.List;

/** Who may do what, by mode. path_resolution(7), access(2). */
final class PermissionCases {
  private static final int READ = 4;
  private static final int WRITE = 2;

  private PermissionCases() {}

  /** Owner, group or others: the first class that fits counts, even if a later one allows more. */
  @Case(as = Case.As.ROOT)
  static void modeBitsAreForTheirClass(Scene s) {
    var inGroup = s.task(new Identity(1005, 1005, List.of(1001)));
    var classes = List.of(s.task(Scene.USER), inGroup, s.task(Scene.STRANGER));
    s.root.write(s.at("f"), "x");
    s.root.chown(s.at("f"), Scene.USER.uid(), Scene.USER.gid());
    for (int bits = 0; bits < 8; bits += 2) {
      for (int at = 0; at < 3; at++) {
        int others = 0777 & ~(7 << (6 - 3 * at));
        s.root.chmod(s.at("f"), others | bits << (6 - 3 * at));
        var task = classes.get(at);
        assertMay(task, s.at("f"), O_RDONLY, (bits & READ) != 0);
        assertMay(task, s.at("f"), O_WRONLY, (bits & WRITE) != 0);
        assertMay(task, s.at("f"), O_RDWR, (bits & (READ | WRITE)) == (READ | WRITE));
      }
    }
  }

  private static void assertMay(Task task, String path, int flags, boolean may) {
    if (may) {
      task.open(path, flags).close();
    } else {
      assertErrno(EACCES, () -> task.open(path, flags));
    }
  }

  @Case(as = Case.As.ROOT)
  static void rootReadsAndWritesWhateverTheMode(Scene s) {
    s.root.write(s.at("f"), "x");
    s.root.mkdir(s.at("d"), 0755);
    s.root.write(s.at("d/g"), "y");
    s.root.chown(s.at("f"), 1001, 1001);
    s.root.chmod(s.at("f"), 0);
    s.root.chown(s.at("d"), 1001, 1001);
    s.root.chmod(s.at("d"), 0);
    assertEquals("x", s.root.readText(s.at("f")));
    s.root.write(s.at("f"), "z");
    assertEquals("y", s.root.readText(s.at("d/g")));
    s.root.unlink(s.at("d/g"));
    assertEquals(0, s.root.stat(s.at("f")).permissions());
  }

  @Case(as = Case.As.USER)
  static void ownerIsBoundByTheModeToo(Scene s) {
    s.me.write(s.at("f"), "x");
    s.me.chmod(s.at("f"), 0);
    assertErrno(EACCES, () -> s.me.read(s.at("f")));
    assertErrno(EACCES, () -> s.me.write(s.at("f"), "y"));
    assertErrno(EACCES, () -> s.me.truncate(s.at("f"), 0));
    s.me.chmod(s.at("f"), 0600);
    assertEquals("x", s.me.readText(s.at("f")));
  }

  @Case(as = Case.As.USER)
  static void directoryNeedsSearchPermission(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("d/f"), "x");
    s.me.chmod(s.at("d"), 0600);
    try (var fd = s.me.open(s.at("d"), O_RDONLY | O_DIRECTORY)) {
      assertEquals(3, fd.listAll().size());
    }
    assertErrno(EACCES, () -> s.me.stat(s.at("d/f")));
    assertErrno(EACCES, () -> s.me.read(s.at("d/f")));
    assertErrno(EACCES, () -> s.me.stat(s.at("d/missing")));
    s.me.chmod(s.at("d"), 0100);
    assertEquals("x", s.me.readText(s.at("d/f")));
    assertErrno(EACCES, () -> s.me.open(s.at("d"), O_RDONLY | O_DIRECTORY));
    s.me.chmod(s.at("d"), 0700);
  }

  @Case(as = Case.As.USER)
  static void changingADirectoryNeedsWritePermission(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("d/f"), "x");
    s.me.write(s.at("g"), "y");
    s.me.chmod(s.at("d"), 0555);
    assertErrno(EACCES, () -> s.me.write(s.at("d/new"), ""));
    assertErrno(EACCES, () -> s.me.mkdir(s.at("d/new"), 0755));
    assertErrno(EACCES, () -> s.me.symlink("x", s.at("d/new")));
    assertErrno(EACCES, () -> s.me.mknod(s.at("d/new"), 0010644, 0, 0));
    assertErrno(EACCES, () -> s.me.link(s.at("g"), s.at("d/new")));
    assertErrno(EACCES, () -> s.me.unlink(s.at("d/f")));
    assertErrno(EACCES, () -> s.me.rename(s.at("d/f"), s.at("h")));
    assertErrno(EACCES, () -> s.me.rename(s.at("g"), s.at("d/f")));
    s.me.write(s.at("d/f"), "the content is another matter");
    s.me.chmod(s.at("d"), 0755);
  }

  @Case(as = Case.As.ROOT)
  static void strangersNeedTheBitsForOthers(Scene s) {
    var stranger = s.task(Scene.STRANGER);
    s.root.write(s.at("f"), "x");
    s.root.mkdir(s.at("d"), 0700);
    s.root.write(s.at("d/g"), "y");
    assertEquals("x", stranger.readText(s.at("f")));
    assertErrno(EACCES, () -> stranger.write(s.at("f"), ""));
    assertErrno(EACCES, () -> stranger.open(s.at("f"), O_RDONLY | O_TRUNC));
    assertErrno(EACCES, () -> stranger.open(s.at("f"), O_CREAT | O_RDWR, 0644));
    assertErrno(EACCES, () -> stranger.write(s.at("new"), ""));
    assertErrno(EACCES, () -> stranger.read(s.at("d/g")));
    assertErrno(EACCES, () -> stranger.stat(s.at("d/g")));
    assertErrno(EACCES, () -> stranger.unlink(s.at("f")));
    assertErrno(EPERM, () -> stranger.chmod(s.at("f"), 0666));
    assertEquals("x", s.root.readText(s.at("f")));
  }

  /** A cache must not show one user what it looked up for another. */
  @Case(as = Case.As.ROOT)
  static void permissionIsAskedForEachUserAnew(Scene s) {
    var user = s.task(Scene.USER);
    var stranger = s.task(Scene.STRANGER);
    s.root.mkdir(s.at("d"), 0700);
    s.root.chown(s.at("d"), Scene.USER.uid(), Scene.USER.gid());
    user.write(s.at("d/f"), "secret");
    for (int i = 0; i < 3; i++) {
      assertEquals("secret", user.readText(s.at("d/f")));
      assertErrno(EACCES, () -> stranger.read(s.at("d/f")));
    }
    s.root.chmod(s.at("d"), 0755);
    assertEquals("secret", stranger.readText(s.at("d/f")));
    s.root.chmod(s.at("d"), 0700);
    assertErrno(EACCES, () -> stranger.read(s.at("d/f")));
  }

  @Case(as = Case.As.ROOT)
  static void accessAnswersForTheCaller(Scene s) {
    var user = s.task(Scene.USER);
    var inGroup = s.task(new Identity(1005, 1005, List.of(1001)));
    var stranger = s.task(Scene.STRANGER);
    s.root.write(s.at("f"), "");
    s.root.chown(s.at("f"), Scene.USER.uid(), Scene.USER.gid());
    s.root.chmod(s.at("f"), 0641);
    assertAccess(R_OK | W_OK, user, s.at("f"));
    assertAccess(R_OK, inGroup, s.at("f"));
    assertAccess(X_OK, stranger, s.at("f"));
    assertAccess(R_OK | W_OK | X_OK, s.root, s.at("f"));
    s.root.chmod(s.at("f"), 0600);
    assertAccess(R_OK | W_OK, s.root, s.at("f"));
    s.root.chmod(s.dir, 0700);
    assertErrno(EACCES, () -> stranger.access(s.at("f"), 0));
  }

  private static void assertAccess(int allowed, Task task, String path) {
    for (int mask = 0; mask < 8; mask++) {
      int asked = mask;
      if ((mask & ~allowed) == 0) {
        task.access(path, mask);
      } else {
        assertErrno(EACCES, () -> task.access(path, asked));
      }
    }
  }

  @Case(as = Case.As.USER)
  static void descriptorKeepsWhatItWasGranted(Scene s) {
    s.me.write(s.at("f"), "x");
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      s.me.chmod(s.at("f"), 0);
      fd.pwrite("y", 0);
      assertEquals("y", fd.preadText(1, 0));
      s.root.chown(s.at("f"), 0, 0);
      fd.pwrite("z", 0);
      fd.truncate(1);
      fd.fsync();
      assertEquals("z", fd.preadText(1, 0));
    }
  }

  @Case(as = Case.As.ROOT)
  static void programNeedsAnExecuteBit(Scene s) throws Exception {
    s.run("cp", "/bin/true", s.at("program"));
    s.root.chmod(s.at("program"), 0644);
    assertCannotRun(s, s.at("program"));
    s.root.chmod(s.at("program"), 0755);
    s.run(s.at("program"));
    // setpriv itself still has root's capabilities: the shell that it becomes has none.
    var asStranger = "setpriv --reuid=1002 --regid=1002 --clear-groups sh -c " + s.at("program");
    s.run("sh", "-c", asStranger);
    s.root.chmod(s.at("program"), 0744);
    assertCannotRun(s, asStranger);
  }

  private static void assertCannotRun(Scene s, String command) throws Exception {
    var said = s.run("sh", "-c", "! " + command);
    assertTrue(said.contains("ermission denied"), said);
  }

  @Case(as = Case.As.ROOT)
  static void unlinkNeedsNoPermissionOnTheFile(Scene s) {
    s.root.mkdir(s.at("d"), 0777);
    s.root.write(s.at("d/f"), "");
    s.root.chmod(s.at("d/f"), 0);
    s.task(Scene.USER).unlink(s.at("d/f"));
    assertErrno(dev.hostshare.proto.Errno.ENOENT, () -> s.root.stat(s.at("d/f")));
  }

  @Case(as = Case.As.USER)
  static void failedOpenLeavesTheFileAlone(Scene s) {
    s.root.write(s.at("f"), "keep");
    assertErrno(EACCES, () -> s.me.open(s.at("f"), O_WRONLY | O_TRUNC));
    try {
      s.me.open(s.at("f"), O_WRONLY | O_CREAT | O_TRUNC, 0644).close();
    } catch (ErrnoException e) {
      assertEquals(EACCES, e.errno());
    }
    assertEquals("keep", s.root.readText(s.at("f")));
  }
}
