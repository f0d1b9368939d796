package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.EACCES;
import static dev.hostshare.proto.Linux.O_CREAT;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.proto.Linux.O_RDWR;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** mmap(2), shared. */
final class MapCases {
  private MapCases() {}

  @Case
  static void storesReachReadersAndTheFile(Scene s) {
    try (var fd = s.me.open(s.at("f"), O_CREAT | O_RDWR, 0644)) {
      fd.truncate(8192);
      var map = fd.mapShared(8192, true);
      map.set(JAVA_BYTE, 5000, (byte) 'm');
      assertEquals("m", fd.preadText(1, 5000));
      fd.sync(map);
      fd.unmap(map);
    }
    assertEquals('m', s.another().read(s.at("f"))[5000]);
  }

  @Case
  static void writesReachMappings(Scene s) {
    s.me.write(s.at("f"), "before");
    try (var fd = s.me.open(s.at("f"), O_RDWR);
        var reader = s.another().open(s.at("f"), O_RDONLY)) {
      var map = reader.mapShared(4096, false);
      assertEquals('b', map.get(JAVA_BYTE, 0));
      fd.pwrite("after", 0);
      assertEquals('a', map.get(JAVA_BYTE, 0));
      reader.unmap(map);
    }
  }

  @Case
  static void twoProcessesShareOneMapping(Scene s) {
    var other = s.another();
    s.me.write(s.at("f"), "x".repeat(4096));
    try (var a = s.me.open(s.at("f"), O_RDWR);
        var b = other.open(s.at("f"), O_RDWR)) {
      var mine = a.mapShared(4096, true);
      var theirs = b.mapShared(4096, true);
      for (int i = 0; i < 100; i++) {
        mine.set(JAVA_BYTE, i, (byte) i);
        assertEquals((byte) i, theirs.get(JAVA_BYTE, i));
        theirs.set(JAVA_BYTE, 1000 + i, (byte) i);
        assertEquals((byte) i, mine.get(JAVA_BYTE, 1000 + i));
      }
      a.unmap(mine);
      b.unmap(theirs);
    }
  }

  @Case
  static void mappingOutlivesItsDescriptorAndItsName(Scene s) {
    s.me.write(s.at("f"), "x".repeat(4096));
    s.me.link(s.at("f"), s.at("g"));
    var fd = s.me.open(s.at("f"), O_RDWR);
    var map = fd.mapShared(4096, true);
    fd.close();
    s.me.unlink(s.at("f"));
    map.set(JAVA_BYTE, 0, (byte) 'y');
    assertEquals('y', s.me.read(s.at("g"))[0]);
    fd.unmap(map);
    assertEquals('y', s.another().read(s.at("g"))[0]);
  }

  @Case
  static void mappingDoesOnlyWhatTheDescriptorMay(Scene s) {
    s.me.write(s.at("f"), "x".repeat(4096));
    try (var fd = s.me.open(s.at("f"), O_RDONLY)) {
      assertErrno(EACCES, () -> fd.mapShared(4096, true));
      var map = fd.mapShared(4096, false);
      assertEquals('x', map.get(JAVA_BYTE, 4095));
      fd.unmap(map);
    }
  }
}
