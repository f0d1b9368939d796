package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EBUSY;
import static dev.hostshare.proto.Errno.EEXIST;
import static dev.hostshare.proto.Errno.EINVAL;
import static dev.hostshare.proto.Errno.EISDIR;
import static dev.hostshare.proto.Errno.ENAMETOOLONG;
import static dev.hostshare.proto.Errno.ENOENT;
import static dev.hostshare.proto.Errno.ENOTDIR;
import static dev.hostshare.proto.Errno.ENOTEMPTY;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.Linux;
import dev.hostshare.test.posix.Dirent;
import dev.hostshare.test.posix.Names;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What may be a name, and the errors of what may not. path_resolution(7). */
final class NameCases {
  private NameCases() {}

  @Case
  static void nameOf255BytesWorksEverywhere(Scene s) {
    var name = Names.ofLength(255);
    s.me.write(s.at(name), "a");
    assertEquals("a", s.me.readText(s.at(name)));
    var other = "m" + Names.ofLength(254);
    s.me.rename(s.at(name), s.at(other));
    s.me.link(s.at(other), s.at(name));
    s.me.unlink(s.at(name));
    s.me.unlink(s.at(other));
    s.me.mkdir(s.at(name), 0755);
    s.me.write(s.at(name + "/" + name), "b");
    assertEquals("b", s.me.readText(s.at(name + "/" + name)));
    s.me.symlink(name, s.at(other));
    assertEquals(name, s.me.readlink(s.at(other)));
  }

  @Case
  static void nameOf256BytesIsTooLong(Scene s) {
    var name = s.at(Names.ofLength(256));
    s.me.write(s.at("f"), "");
    assertErrno(ENAMETOOLONG, () -> s.me.stat(name));
    assertErrno(ENAMETOOLONG, () -> s.me.write(name, ""));
    assertErrno(ENAMETOOLONG, () -> s.me.mkdir(name, 0755));
    assertErrno(ENAMETOOLONG, () -> s.me.mknod(name, Linux.S_IFIFO | 0644, 0, 0));
    assertErrno(ENAMETOOLONG, () -> s.me.symlink("x", name));
    assertErrno(ENAMETOOLONG, () -> s.me.link(s.at("f"), name));
    assertErrno(ENAMETOOLONG, () -> s.me.rename(s.at("f"), name));
    assertErrno(ENAMETOOLONG, () -> s.me.rename(name, s.at("g")));
    assertErrno(ENAMETOOLONG, () -> s.me.unlink(name));
    assertErrno(ENAMETOOLONG, () -> s.me.rmdir(name));
    assertErrno(ENAMETOOLONG, () -> s.me.readlink(name));
  }

  @Case
  static void pathOf4096BytesIsTooLong(Scene s) {
    assertErrno(ENAMETOOLONG, () -> s.me.stat("/.".repeat(2048)));
    var deepest = s.dir + "/.".repeat((4095 - s.dir.length()) / 2);
    assertEquals(s.me.stat(s.dir).ino(), s.me.stat(deepest).ino());
  }

  @Case
  static void anyByteButSlashAndNulIsAName(Scene s) {
    var names = new TreeSet<String>();
    for (int b = 1; b < 256; b++) {
      if (b != '/' && b != '.') {
        names.add(String.valueOf((char) b));
      }
      names.add("a" + (b == '/' ? '_' : (char) b) + "z");
    }
    names.add("...");
    names.add("-rf");
    names.add(Names.utf8("Grüße, 世界 🙂"));
    // The two Unicode forms of one text are two names.
    names.add(Names.utf8("e\u0301"));
    names.add(Names.utf8("\u00e9"));
    names.add("\u00ff\u00fe\u00c3(");
    for (var name : names) {
      s.me.write(s.at(name), name);
    }
    for (var name : names) {
      assertEquals(name, s.me.readText(s.at(name)));
    }
    try (var fd = s.me.open(s.dir, Linux.O_RDONLY | Linux.O_DIRECTORY)) {
      var listed =
          fd.listAll().stream()
              .filter(entry -> !entry.isDots())
              .map(Dirent::name)
              .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(names, listed);
    }
  }

  @Case
  static void upperAndLowerCaseAreTwoNames(Scene s) {
    s.me.write(s.at("name"), "lower");
    s.me.write(s.at("NAME"), "upper");
    assertEquals("lower", s.me.readText(s.at("name")));
    assertEquals("upper", s.me.readText(s.at("NAME")));
  }

  @Case
  static void dotsLeadToTheFolderAndItsParent(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.mkdir(s.at("d/e"), 0755);
    long here = s.me.stat(s.at("d")).ino();
    assertEquals(here, s.me.stat(s.at("d/.")).ino());
    assertEquals(here, s.me.stat(s.at("d/e/..")).ino());
    assertEquals(here, s.me.stat(s.at("d/e/../../d")).ino());
  }

  @Case
  static void dotsCannotBeMadeOrRemoved(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    s.me.mkdir(s.at("d/e"), 0755);
    assertErrno(EEXIST, () -> s.me.mkdir(s.at("d/."), 0755));
    assertErrno(EEXIST, () -> s.me.mkdir(s.at("d/.."), 0755));
    assertErrno(EINVAL, () -> s.me.rmdir(s.at("d/.")));
    assertErrno(ENOTEMPTY, () -> s.me.rmdir(s.at("d/e/..")));
    assertErrno(EISDIR, () -> s.me.unlink(s.at("d/.")));
    assertErrno(EBUSY, () -> s.me.rename(s.at("d/."), s.at("x")));
    assertErrno(EBUSY, () -> s.me.rename(s.at("d/e/.."), s.at("x")));
  }

  @Case
  static void slashAtTheEndMeansDirectory(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.mkdir(s.at("d/"), 0755);
    assertTrue(s.me.stat(s.at("d/")).isDirectory());
    assertErrno(ENOTDIR, () -> s.me.stat(s.at("f/")));
    assertErrno(EISDIR, () -> s.me.open(s.at("new/"), Linux.O_CREAT | Linux.O_WRONLY, 0644));
    assertErrno(ENOTDIR, () -> s.me.rename(s.at("f"), s.at("g/")));
    s.me.rename(s.at("d/"), s.at("e/"));
    assertTrue(s.me.stat(s.at("e")).isDirectory());
  }

  @Case
  static void pathThroughAFileIsNoDirectory(Scene s) {
    s.me.write(s.at("f"), "");
    assertErrno(ENOTDIR, () -> s.me.stat(s.at("f/x")));
    assertErrno(ENOTDIR, () -> s.me.write(s.at("f/x"), ""));
    assertErrno(ENOTDIR, () -> s.me.mkdir(s.at("f/x"), 0755));
    assertErrno(ENOTDIR, () -> s.me.unlink(s.at("f/x")));
    assertErrno(ENOTDIR, () -> s.me.rename(s.at("f/x"), s.at("y")));
    assertErrno(ENOTDIR, () -> s.me.symlink("t", s.at("f/x")));
    assertErrno(ENOTDIR, () -> s.me.mknod(s.at("f/x"), Linux.S_IFIFO | 0644, 0, 0));
  }

  @Case
  static void whatIsMissingIsMissing(Scene s) {
    assertErrno(ENOENT, () -> s.me.stat(""));
    assertErrno(ENOENT, () -> s.me.stat(s.at("no")));
    assertErrno(ENOENT, () -> s.me.stat(s.at("no/x")));
    assertErrno(ENOENT, () -> s.me.open(s.at("no"), Linux.O_RDONLY));
    assertErrno(ENOENT, () -> s.me.write(s.at("no/x"), ""));
    assertErrno(ENOENT, () -> s.me.mkdir(s.at("no/x"), 0755));
    assertErrno(ENOENT, () -> s.me.unlink(s.at("no")));
    assertErrno(ENOENT, () -> s.me.rmdir(s.at("no")));
    assertErrno(ENOENT, () -> s.me.rename(s.at("no"), s.at("x")));
    assertErrno(ENOENT, () -> s.me.link(s.at("no"), s.at("x")));
    assertErrno(ENOENT, () -> s.me.chmod(s.at("no"), 0644));
    assertErrno(ENOENT, () -> s.me.truncate(s.at("no"), 0));
    assertErrno(ENOENT, () -> s.me.readlink(s.at("no")));
    assertErrno(ENOENT, () -> s.me.touch(s.at("no")));
  }

  /** A negative entry in a cache must not outlive what ends it. */
  @Case
  static void missingNameIsThereOnceMade(Scene s) {
    var other = s.another();
    for (int i = 0; i < 20; i++) {
      var path = s.at("late" + i);
      assertErrno(ENOENT, () -> s.me.stat(path));
      other.write(path, "x");
      assertEquals(1, s.me.stat(path).size());
      other.unlink(path);
      assertErrno(ENOENT, () -> s.me.stat(path));
    }
  }
}
