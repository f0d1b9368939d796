package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.ECONNREFUSED;
import static dev.hostshare.proto.Errno.EEXIST;
import static dev.hostshare.proto.Errno.ENXIO;
import static dev.hostshare.proto.Errno.EPERM;
import static dev.hostshare.proto.Linux.O_NONBLOCK;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.proto.Linux.O_WRONLY;
import static dev.hostshare.proto.Linux.S_IFBLK;
import static dev.hostshare.proto.Linux.S_IFCHR;
import static dev.hostshare.proto.Linux.S_IFIFO;
import static dev.hostshare.proto.Linux.S_IFREG;
import static dev.hostshare.proto.Linux.S_IFSOCK;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** mknod(2): devices, fifos, sockets. */
final class SpecialFileCases {
  private SpecialFileCases() {}

  @Case(as = Case.As.ROOT)
  static void devicesKeepTheirNumbers(Scene s) {
    int[][] numbers = {{1, 3}, {8, 0}, {259, 1_000_000}, {4095, 255}};
    for (var number : numbers) {
      for (int type : new int[] {S_IFCHR, S_IFBLK}) {
        s.me.mknod(s.at("dev"), type | 0640, number[0], number[1]);
        var stat = s.another().stat(s.at("dev"));
        assertEquals(type | 0640, stat.mode());
        assertEquals(number[0], stat.rdevMajor());
        assertEquals(number[1], stat.rdevMinor());
        assertEquals(0, stat.size());
        s.me.unlink(s.at("dev"));
      }
    }
  }

  @Case(as = Case.As.USER)
  static void ordinaryUserMakesNoDevices(Scene s) {
    assertErrno(EPERM, () -> s.me.mknod(s.at("dev"), S_IFCHR | 0666, 1, 3));
    assertErrno(EPERM, () -> s.me.mknod(s.at("dev"), S_IFBLK | 0666, 8, 0));
  }

  @Case
  static void plainFileCanBeMadeByMknod(Scene s) {
    s.me.mknod(s.at("f"), S_IFREG | 0640, 0, 0);
    assertEquals(S_IFREG | 0640, s.me.stat(s.at("f")).mode());
    s.me.mknod(s.at("g"), 0600, 0, 0);
    assertEquals(S_IFREG | 0600, s.me.stat(s.at("g")).mode());
    s.me.write(s.at("f"), "x");
    assertEquals("x", s.me.readText(s.at("f")));
  }

  @Case
  static void nameInUseCannotBeMadeANode(Scene s) {
    s.me.write(s.at("f"), "");
    s.me.symlink("nowhere", s.at("l"));
    assertErrno(EEXIST, () -> s.me.mknod(s.at("f"), S_IFIFO | 0644, 0, 0));
    assertErrno(EEXIST, () -> s.me.mknod(s.at("l"), S_IFIFO | 0644, 0, 0));
  }

  @Case
  static void fifoPassesBytesOn(Scene s) {
    s.me.mknod(s.at("p"), S_IFIFO | 0644, 0, 0);
    assertErrno(ENXIO, () -> s.me.open(s.at("p"), O_WRONLY | O_NONBLOCK));
    var other = s.another();
    try (var reader = s.me.open(s.at("p"), O_RDONLY | O_NONBLOCK);
        var writer = other.open(s.at("p"), O_WRONLY)) {
      writer.write("through");
      assertArrayEquals(
          "through".getBytes(java.nio.charset.StandardCharsets.US_ASCII), reader.read(100));
      assertEquals(S_IFIFO, reader.stat().type());
    }
    assertEquals(0, s.me.stat(s.at("p")).size());
  }

  @Case
  static void socketCanBeBoundAndFound(Scene s) {
    // A socket's address holds 107 bytes: too few for where tests live.
    s.me.chdir(s.dir);
    var other = s.another();
    other.chdir(s.dir);
    try (var server = s.me.listenUnix("sock")) {
      assertEquals(S_IFSOCK, s.me.stat(s.at("sock")).type());
      assertEquals(s.me.identity().uid(), s.me.stat(s.at("sock")).uid());
      other.connectUnix("sock").close();
      assertEquals(S_IFSOCK, server.stat().type());
      assertErrno(ENXIO, () -> s.me.open(s.at("sock"), O_RDWR));
    }
    assertErrno(ECONNREFUSED, () -> other.connectUnix("sock"));
    s.me.unlink(s.at("sock"));
    s.me.chdir("/");
    other.chdir("/");
  }

  @Case
  static void nodesChangeMoveAndGoLikeFiles(Scene s) {
    s.me.mknod(s.at("p"), S_IFIFO | 0644, 0, 0);
    s.me.mknod(s.at("s"), S_IFSOCK | 0644, 0, 0);
    for (var name : new String[] {"p", "s"}) {
      int type = s.me.stat(s.at(name)).type();
      s.me.chmod(s.at(name), 0606);
      s.root.chown(s.at(name), 4001, 4002);
      s.root.link(s.at(name), s.at("linked"));
      s.me.rename(s.at(name), s.at("moved"));
      var stat = s.me.stat(s.at("moved"));
      assertEquals(type | 0606, stat.mode());
      assertEquals(4001, stat.uid());
      assertEquals(2, stat.nlink());
      s.me.unlink(s.at("moved"));
      assertEquals(type | 0606, s.me.stat(s.at("linked")).mode());
      s.me.unlink(s.at("linked"));
    }
  }

  @Case(as = Case.As.ROOT)
  static void deviceIsReplacedByAFile(Scene s) {
    s.me.mknod(s.at("dev"), S_IFCHR | 0600, 1, 3);
    s.me.write(s.at("f"), "x");
    s.me.rename(s.at("f"), s.at("dev"));
    assertEquals(S_IFREG | 0644, s.me.stat(s.at("dev")).mode());
    assertEquals("x", s.me.readText(s.at("dev")));
    s.me.unlink(s.at("dev"));
    s.me.write(s.at("dev"), "y");
    assertEquals(S_IFREG | 0644, s.me.stat(s.at("dev")).mode());
  }
}
