package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.ENOENT;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.hostshare.test.posix.Timespec;

/** Files that lost their name while open. */
final class UnlinkedCases {
  private UnlinkedCases() {}

  @Case
  static void unlinkedFileStaysReadableAndWritable(Scene s) {
    s.me.write(s.at("f"), "before");
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      s.me.unlink(s.at("f"));
      assertErrno(ENOENT, () -> s.me.stat(s.at("f")));
      assertEquals(0, fd.stat().nlink());
      assertEquals("before", fd.preadText(10, 0));
      fd.pwrite("after and longer", 0);
      assertEquals("after and longer", fd.preadText(100, 0));
      assertEquals(16, fd.stat().size());
      fd.truncate(5);
      fd.fsync();
      assertEquals("after", fd.preadText(100, 0));
    }
  }

  @Case
  static void unlinkedFileStillChangesItsAttributes(Scene s) {
    s.me.write(s.at("f"), "");
    try (var fd = s.me.open(s.at("f"), O_RDWR)) {
      s.me.unlink(s.at("f"));
      fd.chmod(0604);
      assertEquals(0604, fd.stat().permissions());
      fd.utimens(new Timespec(1, 2), new Timespec(3, 4));
      assertEquals(new Timespec(3, 4), fd.stat().mtime());
      fd.setxattr("user.a", new byte[] {1});
      assertArrayEquals(new byte[] {1}, fd.getxattr("user.a"));
      if (s.me.identity().uid() == 0) {
        fd.chown(4001, 4002);
        assertEquals(4001, fd.stat().uid());
      }
    }
  }

  @Case
  static void newFileOfTheSameNameIsAnother(Scene s) {
    s.me.write(s.at("f"), "old");
    try (var old = s.me.open(s.at("f"), O_RDWR)) {
      s.me.unlink(s.at("f"));
      s.me.write(s.at("f"), "new");
      assertNotEquals(old.stat().ino(), s.me.stat(s.at("f")).ino());
      old.pwrite("OLD", 0);
      assertEquals("new", s.me.readText(s.at("f")));
      assertEquals("OLD", old.preadText(10, 0));
    }
  }

  /**
   * What was set on the old file is not found on a new one, even if the inode number comes back.
   */
  @Case
  static void newFileInheritsNothing(Scene s) {
    for (int i = 0; i < 20; i++) {
      s.me.write(s.at("f"), "");
      assertEquals(s.me.identity().uid(), s.me.stat(s.at("f")).uid());
      assertEquals(0644, s.me.stat(s.at("f")).permissions());
      assertEquals(0, s.me.listxattr(s.at("f")).length);
      s.me.setxattr(s.at("f"), "user.a", new byte[1], 0);
      s.me.chmod(s.at("f"), 0600);
      s.root.chown(s.at("f"), 4001, 4002);
      s.me.unlink(s.at("f"));
    }
  }

  @Case
  static void fileInARemovedTreeStaysReadable(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.write(s.at("d/f"), "x");
    try (var fd = s.me.open(s.at("d/f"), O_RDONLY)) {
      s.me.unlink(s.at("d/f"));
      s.me.rmdir(s.at("d"));
      assertEquals("x", fd.preadText(10, 0));
    }
  }

  @Case
  static void manyUnlinkedFilesStayApart(Scene s) {
    var open = new java.util.ArrayList<dev.hostshare.test.posix.Fd>();
    for (int i = 0; i < 100; i++) {
      s.me.write(s.at("f"), "content " + i);
      open.add(s.me.open(s.at("f"), O_RDONLY));
      s.me.unlink(s.at("f"));
    }
    for (int i = 0; i < 100; i++) {
      assertEquals("content " + i, open.get(i).preadText(100, 0));
      open.get(i).close();
    }
  }
}
