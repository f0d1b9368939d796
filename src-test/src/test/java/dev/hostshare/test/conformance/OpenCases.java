package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EACCES;
import static dev.hostshare.proto.Errno.EBADF;
import static dev.hostshare.proto.Errno.EEXIST;
import static dev.hostshare.proto.Errno.EISDIR;
import static dev.hostshare.proto.Errno.ELOOP;
import static dev.hostshare.proto.Errno.ENOENT;
import static dev.hostshare.proto.Errno.ENOTDIR;
import static dev.hostshare.proto.Errno.EPERM;
import static dev.hostshare.proto.Errno.ETXTBSY;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_DIRECTORY;
import static dev.hostshare.proto.Linux.O_EXCL;
import static dev.hostshare.proto.Linux.O_NOATIME;
import static dev.hostshare.proto.Linux.O_NOFOLLOW;
import static dev.hostshare.proto.Linux.O_PATH;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.proto.Linux.O_TMPFILE;
import static dev.hostshare.proto.Linux.O_TRUNC;
import static dev.hostshare.proto.Linux.O_WRONLY;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.test.posix.ErrnoException;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/** open(2). */
final class OpenCases {
  private OpenCases() {}

  @Case
  static void createHasModeOwnerAndNoContent(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_WRONLY, 0640)) {
      var stat = fd.stat();
      assertEquals(0640, stat.permissions());
      assertEquals(s.me.identity().uid(), stat.uid());
      assertEquals(s.me.identity().gid(), stat.gid());
      assertEquals(0, stat.size());
      assertEquals(1, stat.nlink());
      assertEquals(stat.ino(), s.me.stat(s.at("f")).ino());
    }
  }

  @Case
  static void createAndFifoAndDirectoryHonourUmask(Scene s) {
    s.me.umask(027);
    s.me.open(s.at("f"), O_CREAT | O_WRONLY, 0777).close();
    s.me.mkdir(s.at("d"), 0777);
    s.me.mknod(s.at("p"), dev.hostshare.proto.Linux.S_IFIFO | 0666, 0, 0);
    assertEquals(0750, s.me.stat(s.at("f")).permissions());
    assertEquals(0750, s.me.stat(s.at("d")).permissions());
    assertEquals(0640, s.me.stat(s.at("p")).permissions());
  }

  @Case
  static void exclusiveCreateFindsWhatIsThere(Scene s) {
    s.me.write(s.at("f"), "x");
    s.me.mkdir(s.at("d"), 0755);
    s.me.symlink("nowhere", s.at("l"));
    for (var name : new String[] {"f", "d", "l"}) {
      assertErrno(EEXIST, () -> s.me.open(s.at(name), O_CREAT | O_EXCL | O_WRONLY, 0644));
    }
    assertErrno(ENOENT, () -> s.me.stat(s.at("nowhere")));
  }

  /** Lock files rest on this. */
  @Case
  static void exclusiveCreateHasOneWinner(Scene s) throws Exception {
    var other = s.another();
    try (var threads = Executors.newFixedThreadPool(2)) {
      for (int i = 0; i < 50; i++) {
        var path = s.at("lock" + i);
        Callable<Boolean> first = () -> createsExclusively(s.me, path);
        var second = threads.submit(() -> createsExclusively(other, path));
        var one = threads.submit(first);
        assertNotEquals(one.get(), second.get(), path);
      }
    }
  }

  private static boolean createsExclusively(dev.hostshare.test.posix.Task task, String path) {
    try {
      task.open(path, O_CREAT | O_EXCL | O_WRONLY, 0644).close();
      return true;
    } catch (ErrnoException e) {
      assertEquals(EEXIST, e.errno());
      return false;
    }
  }

  @Case
  static void createOfAnExistingFileKeepsItsContentAndMode(Scene s) {
    s.me.write(s.at("f"), "old");
    s.me.chmod(s.at("f"), 0600);
    s.me.open(s.at("f"), O_CREAT | O_WRONLY, 0644).close();
    assertEquals("old", s.me.readText(s.at("f")));
    assertEquals(0600, s.me.stat(s.at("f")).permissions());
  }

  @Case
  static void createGoesThroughADanglingSymlink(Scene s) {
    s.me.symlink("target", s.at("l"));
    s.me.write(s.at("l"), "x");
    assertEquals("x", s.me.readText(s.at("target")));
  }

  @Case
  static void truncateOnOpenEmptiesTheFile(Scene s) {
    s.me.write(s.at("f"), "content");
    try (var fd = s.me.open(s.at("f"), O_WRONLY | O_TRUNC)) {
      assertEquals(0, fd.stat().size());
      assertEquals(0, s.another().stat(s.at("f")).size());
    }
  }

  @Case
  static void createdForReadingOnlyIsStillWritableByItsDescriptor(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_EXCL | O_RDWR, 0444)) {
      fd.write("x");
    }
    assertEquals("x", s.me.readText(s.at("f")));
    assertEquals(0444, s.me.stat(s.at("f")).permissions());
  }

  @Case
  static void createdWithModeZeroIsOpenAllTheSame(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0)) {
      fd.write("secret");
      assertEquals("secret", fd.preadText(10, 0));
    }
    assertEquals(0, s.me.stat(s.at("f")).permissions());
    assertEquals("secret", s.root.readText(s.at("f")));
    if (s.me.identity().uid() != 0) {
      assertErrno(EACCES, () -> s.me.read(s.at("f")));
    }
  }

  @Case
  static void directoryCannotBeWritten(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    assertErrno(EISDIR, () -> s.me.open(s.at("d"), O_WRONLY));
    assertErrno(EISDIR, () -> s.me.open(s.at("d"), O_RDWR));
    assertErrno(EISDIR, () -> s.me.open(s.at("d"), O_CREAT | O_WRONLY, 0644));
    assertErrno(EISDIR, () -> s.me.truncate(s.at("d"), 0));
    try (var fd = s.me.open(s.at("d"), O_RDONLY)) {
      assertErrno(EISDIR, () -> fd.read(1));
      assertErrno(EBADF, () -> fd.write(new byte[1]));
    }
  }

  @Case
  static void directoryFlagWantsADirectory(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.symlink(".", s.at("l"));
    assertErrno(ENOTDIR, () -> s.me.open(s.at("f"), O_RDONLY | O_DIRECTORY));
    s.me.open(s.at("l"), O_RDONLY | O_DIRECTORY).close();
    assertErrno(ENOTDIR, () -> s.me.open(s.at("l"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }

  @Case
  static void noFollowStopsAtASymlink(Scene s) {
    s.me.write(s.at("f"), "x");
    s.me.symlink("f", s.at("l"));
    assertErrno(ELOOP, () -> s.me.open(s.at("l"), O_RDONLY | O_NOFOLLOW));
    assertErrno(ELOOP, () -> s.me.open(s.at("l"), O_CREAT | O_WRONLY | O_NOFOLLOW, 0644));
    try (var fd = s.me.open(s.at("l"), O_PATH | O_NOFOLLOW)) {
      assertEquals(dev.hostshare.proto.Linux.S_IFLNK, fd.stat().type());
    }
  }

  @Case
  static void descriptorDoesOnlyWhatItWasOpenedFor(Scene s) {
    s.me.write(s.at("f"), "x");
    try (var reader = s.me.open(s.at("f"), O_RDONLY);
        var writer = s.me.open(s.at("f"), O_WRONLY);
        var path = s.me.open(s.at("f"), O_PATH)) {
      assertErrno(EBADF, () -> reader.write(new byte[1]));
      assertErrno(EBADF, () -> writer.read(1));
      assertErrno(EBADF, () -> path.read(1));
      assertErrno(dev.hostshare.proto.Errno.EINVAL, () -> reader.truncate(0));
      assertEquals(1, path.stat().size());
    }
  }

  @Case
  static void unnamedFileGetsANameByLink(Scene s) {
    try (var fd = s.me.open(s.dir, O_TMPFILE | O_RDWR, 0640)) {
      fd.write("unnamed");
      assertEquals(0, fd.stat().nlink());
      assertEquals(0640, fd.stat().permissions());
      assertEquals(s.me.identity().uid(), fd.stat().uid());
      try (var folder = s.me.open(s.dir, O_RDONLY)) {
        assertEquals(2, folder.listAll().size(), "only dots");
      }
      s.me.link(fd, s.at("named"));
      assertEquals(1, fd.stat().nlink());
      assertEquals(fd.stat().ino(), s.me.stat(s.at("named")).ino());
    }
    assertEquals("unnamed", s.me.readText(s.at("named")));
    assertEquals(0640, s.me.stat(s.at("named")).permissions());
  }

  @Case
  static void unnamedFileGoesWithItsDescriptor(Scene s) {
    try (var fd = s.me.open(s.dir, O_TMPFILE | O_RDWR | O_EXCL, 0600)) {
      fd.write("gone");
      assertEquals("gone", fd.preadText(10, 0));
      assertErrno(ENOENT, () -> s.me.link(fd, s.at("named")));
    }
    try (var folder = s.me.open(s.dir, O_RDONLY)) {
      assertEquals(2, folder.listAll().size());
    }
  }

  @Case(as = Case.As.ROOT)
  static void noatimeIsForTheOwner(Scene s) {
    s.root.write(s.at("f"), "x");
    s.root.chmod(s.at("f"), 0666);
    assertErrno(EPERM, () -> s.task(Scene.USER).open(s.at("f"), O_RDONLY | O_NOATIME));
    s.root.chown(s.at("f"), Scene.USER.uid(), -1);
    s.task(Scene.USER).open(s.at("f"), O_RDONLY | O_NOATIME).close();
  }

  @Case(as = Case.As.ROOT)
  static void runningProgramCannotBeWritten(Scene s) throws Exception {
    s.run("cp", "/bin/sleep", s.at("program"));
    var running = s.spawn(s.at("program"), "1000");
    awaitExec(running, s.at("program"));
    assertErrno(ETXTBSY, () -> s.me.open(s.at("program"), O_WRONLY));
    assertErrno(ETXTBSY, () -> s.me.truncate(s.at("program"), 0));
    running.destroyForcibly().waitFor();
    s.me.open(s.at("program"), O_WRONLY).close();
  }

  /** Between fork and exec the process is not the program yet. */
  private static void awaitExec(Process process, String program) {
    var deadline = System.nanoTime() + 30_000_000_000L;
    while (!process.info().command().orElse("").equals(program)) {
      assertTrue(process.isAlive() && System.nanoTime() < deadline, "did not start");
      Thread.onSpinWait();
    }
  }

  @Case(as = Case.As.ROOT)
  static void fileOpenForWritingCannotBeRun(Scene s) throws Exception {
    s.run("cp", "/bin/true", s.at("program"));
    try (var writer = s.me.open(s.at("program"), O_WRONLY)) {
      assertEquals(1, writer.stat().nlink());
      var said = s.run("sh", "-c", s.at("program") + "; test $? = 126");
      assertTrue(said.contains("Text file busy"), said);
    }
    s.run(s.at("program"));
  }
}
