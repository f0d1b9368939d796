package dev.hostshare.test.conformance;

import static dev.hostshare.proto.Errno.ENOTDIR;
import static dev.hostshare.proto.Linux.O_DIRECTORY;
import static dev.hostshare.proto.Linux.O_RDONLY;
import static dev.hostshare.test.conformance.Scene.assertErrno;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.Linux;
import dev.hostshare.test.posix.Dirent;
import dev.hostshare.test.posix.Fd;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** getdents64(2) and positions in a directory. */
final class ListingCases {
  private static final int SEEK_SET = 0;

  private ListingCases() {}

  @Case
  static void entriesTellInodeAndType(Scene s) {
    s.me.write(s.at("file"), "");
    s.me.mkdir(s.at("dir"), 0755);
    s.me.symlink("x", s.at("link"));
    s.me.mknod(s.at("fifo"), Linux.S_IFIFO | 0644, 0, 0);
    var seen = new TreeSet<String>();
    for (var entry : list(s, s.dir)) {
      seen.add(entry.name());
      if (!entry.name().equals("..")) {
        var stat = s.me.lstat(s.at(entry.name()));
        assertEquals(stat.ino(), entry.ino(), entry.name());
        assertEquals(stat.type() >> 12, entry.type(), entry.name());
      }
    }
    assertEquals(Set.of(".", "..", "file", "dir", "link", "fifo"), seen);
  }

  @Case
  static void emptyDirectoryHasDotsOnly(Scene s) {
    assertEquals(List.of(".", ".."), list(s, s.dir).stream().map(Dirent::name).sorted().toList());
  }

  @Case
  static void fileCannotBeListed(Scene s) {
    s.me.write(s.at("f"), "");
    try (var fd = s.me.open(s.at("f"), O_RDONLY)) {
      assertErrno(ENOTDIR, () -> fd.list(4096));
    }
  }

  /** telldir(3), seekdir(3): a position leads to what followed it. */
  @Case
  static void positionsLeadBack(Scene s) {
    for (int i = 0; i < 300; i++) {
      s.me.write(s.at("entry" + i), "");
    }
    try (var fd = s.me.open(s.dir, O_RDONLY | O_DIRECTORY)) {
      var all = fd.listAll();
      for (int i = 0; i < all.size() - 1; i += 17) {
        fd.seek(all.get(i).next(), SEEK_SET);
        assertEquals(all.get(i + 1).name(), fd.list(4096).getFirst().name());
      }
      fd.seek(all.getLast().next(), SEEK_SET);
      assertTrue(fd.list(4096).isEmpty());
    }
  }

  /** rewinddir(3) sees what came meanwhile. */
  @Case
  static void rewindingSeesTheDirectoryAsItIs(Scene s) {
    s.me.write(s.at("old"), "");
    try (var fd = s.me.open(s.dir, O_RDONLY | O_DIRECTORY)) {
      assertEquals(3, fd.listAll().size());
      s.another().write(s.at("new"), "");
      s.another().unlink(s.at("old"));
      fd.seek(0, SEEK_SET);
      var names = fd.listAll().stream().map(Dirent::name).toList();
      assertTrue(names.contains("new"), names::toString);
      assertFalse(names.contains("old"), names::toString);
    }
  }

  /** readdir(3): what stays is seen once, what comes or goes at most once. */
  @Case
  static void listingIsWholeWhileEntriesComeAndGo(Scene s) {
    int count = 3000;
    for (int i = 0; i < count; i++) {
      s.me.write(s.at("stay" + i), "");
    }
    for (int i = 0; i < 300; i++) {
      s.me.write(s.at("go" + i), "");
    }
    var other = s.another();
    var seen = new HashMap<String, Integer>();
    try (var fd = s.me.open(s.dir, O_RDONLY | O_DIRECTORY)) {
      int round = 0;
      for (var chunk = fd.list(4096); !chunk.isEmpty(); chunk = fd.list(4096)) {
        chunk.forEach(entry -> seen.merge(entry.name(), 1, Integer::sum));
        for (int i = round * 3; i < round * 3 + 3 && i < 300; i++) {
          other.unlink(s.at("go" + i));
          other.write(s.at("come" + i), "");
        }
        round++;
      }
    }
    for (int i = 0; i < count; i++) {
      assertEquals(1, seen.get("stay" + i), "stay" + i);
    }
    seen.forEach((name, times) -> assertEquals(1, times, name));
  }

  /** As {@code rm -r} does it: removing what was listed must not hide the rest. */
  @Case
  static void everythingCanBeRemovedWhileListing(Scene s) {
    s.me.mkdir(s.at("d"), 0755);
    for (int i = 0; i < 1000; i++) {
      s.me.write(s.at("d/entry" + i), "");
    }
    try (var fd = s.me.open(s.at("d"), O_RDONLY | O_DIRECTORY)) {
      for (var chunk = fd.list(4096); !chunk.isEmpty(); chunk = fd.list(4096)) {
        for (var entry : chunk) {
          if (!entry.isDots()) {
            s.me.unlink(s.at("d/" + entry.name()));
          }
        }
      }
    }
    s.me.rmdir(s.at("d"));
  }

  @Case
  static void twoListingsDoNotDisturbEachOther(Scene s) {
    for (int i = 0; i < 400; i++) {
      s.me.write(s.at("entry" + i), "");
    }
    var first = new ArrayList<String>();
    var second = new ArrayList<String>();
    try (var a = s.me.open(s.dir, O_RDONLY | O_DIRECTORY);
        var b = s.me.open(s.dir, O_RDONLY | O_DIRECTORY)) {
      boolean more = true;
      while (more) {
        more = step(a, first);
        more |= step(b, second);
      }
    }
    assertEquals(402, new HashSet<>(first).size());
    assertEquals(first, second);
  }

  private static boolean step(Fd fd, List<String> names) {
    var chunk = fd.list(1024);
    chunk.forEach(entry -> names.add(entry.name()));
    return !chunk.isEmpty();
  }

  @Case
  static void longNamesAreListedWhole(Scene s) {
    var names = new HashSet<String>();
    for (int i = 0; i < 100; i++) {
      var name = String.format("%0255d", i);
      names.add(name);
      s.me.write(s.at(name), "");
    }
    var listed = new HashSet<String>();
    list(s, s.dir).forEach(entry -> listed.add(entry.name()));
    assertTrue(listed.containsAll(names));
  }

  private static List<Dirent> list(Scene s, String path) {
    try (var fd = s.me.open(path, O_RDONLY | O_DIRECTORY)) {
      return fd.listAll();
    }
  }
}
