package dev.hostshare.test.system;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.attribute.PosixFilePermissions.fromString;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a guest has cached for hours is never old: changes on the host, and by a second guest. */
@SystemTest
class CoherenceTest {
  /** What is promised, milliseconds. */
  private static final long PROMISED = 100;

  /** When not even this is kept, the change is not seen at all. */
  private static final long NEVER = 10_000;

  /** So often a change is made; the fastest counts, since the machine may be busy elsewhere. */
  private static final int TRIES = 3;

  private Lab lab;
  private Observer observer;
  private Path host;
  private String mnt;

  @BeforeEach
  void start() {
    begin();
  }

  private void begin(String... serveOptions) {
    lab = Lab.startWith(Driver.KERNEL, "", serveOptions);
    observer = new Observer(lab.guest());
    host = lab.host();
    mnt = lab.mnt();
  }

  @AfterEach
  void stop() {
    if (observer != null) {
      observer.close();
    }
    if (lab != null) {
      lab.close();
    }
  }

  private interface HostChange {
    void make(Path file, int round) throws IOException;
  }

  private Path file(String name, String content) throws IOException {
    Path file = host.resolve(name);
    Files.writeString(file, content);
    Lab.own(file);
    return file;
  }

  /** Caches what is seen of a file, changes it on the host, and asserts that it is seen in time. */
  private void seen(String what, String name, HostChange change, Predicate<String> expected)
      throws IOException {
    long best = Long.MAX_VALUE;
    for (int round = 0; round < TRIES; round++) {
      Path file = file(name + round, "before");
      observer.await(what, mnt + "/" + name + round, seen -> !expected.test(seen), NEVER);
      change.make(file, round);
      best = Math.min(best, observer.await(what, mnt + "/" + name + round, expected, NEVER));
    }
    assertTrue(best <= PROMISED, name + " was seen after " + best + " ms");
  }

  private long requests() {
    return counter("total");
  }

  private long counter(String name) {
    String json = lab.agent("status", "--json").expectSuccess();
    var found = Pattern.compile("\"" + name + "\":(\\d+)").matcher(json);
    assertTrue(found.find(), json);
    return Long.parseLong(found.group(1));
  }

  @Test
  void changesOnTheHostAreSeen() throws IOException {
    seen(
        "read",
        "written",
        (f, i) -> {
          try (var open = new RandomAccessFile(f.toFile(), "rw")) {
            open.writeBytes("after!"); // the same size
          }
        },
        "after!"::equals);
    seen("read", "appended", (f, i) -> Files.writeString(f, "+", APPEND), "before+"::equals);
    seen("stat", "grown", (f, i) -> Files.writeString(f, "+", APPEND), s -> s.contains(" 7 "));
    seen(
        "read",
        "truncated",
        (f, i) -> {
          try (var open = new RandomAccessFile(f.toFile(), "rw")) {
            open.setLength(3);
          }
        },
        "bef"::equals);
    seen(
        "read",
        "replaced",
        (f, i) -> Files.move(file("new" + i, "after"), f, ATOMIC_MOVE, REPLACE_EXISTING),
        "after"::equals);
    seen(
        "stat",
        "chmodded",
        (f, i) -> Files.setPosixFilePermissions(f, fromString("rwxrwxrwx")),
        s -> s.startsWith("100777"));
    seen("stat", "deleted", (f, i) -> Files.delete(f), "ENOENT"::equals);
    seen(
        "stat",
        "linked",
        (f, i) -> Files.createLink(host.resolve("other" + i), f),
        s -> s.endsWith(" 2"));
  }

  @Test
  void nameThatWasMissingIsSeenWhenItComes() throws IOException {
    observer.look("list", mnt);
    long best = Long.MAX_VALUE;
    for (int round = 0; round < TRIES; round++) {
      String name = "late" + round;
      assertEquals("ENOENT", observer.look("stat", mnt + "/" + name));
      long before = requests();
      for (int i = 0; i < 100; i++) {
        assertEquals("ENOENT", observer.look("stat", mnt + "/" + name));
      }
      assertEquals(before, requests(), "that a name is missing is not kept");
      file(name, "here");
      best =
          Math.min(
              best, observer.await("read", mnt + "/" + name, s -> s.startsWith("here"), NEVER));
      assertTrue(observer.look("list", mnt).contains(name));
    }
    assertTrue(best <= PROMISED, "a new name was seen after " + best + " ms");
  }

  @Test
  void directoriesThatMoveAndComeBackAreSeen() throws IOException {
    Path dir = Lab.owned(Files.createDirectory(host.resolve("dir")));
    file("dir/f", "first");
    String path = mnt + "/dir/f";
    assertEquals("held", observer.look("hold", path));
    Files.move(dir, host.resolve("moved"));
    observer.await("stat", path, "ENOENT"::equals, NEVER);
    observer.await("read", mnt + "/moved/f", "first"::equals, NEVER);
    Files.writeString(host.resolve("moved/f"), "second");
    observer.await("held", path, "second"::equals, NEVER);

    Files.delete(host.resolve("moved/f"));
    Files.delete(host.resolve("moved"));
    observer.await("stat", mnt + "/moved", "ENOENT"::equals, NEVER);
    assertEquals("second", observer.look("held", path));
    Lab.own(Files.createDirectory(host.resolve("moved")));
    file("moved/f", "third");
    observer.await("read", mnt + "/moved/f", "third"::equals, NEVER);
    assertEquals("f", observer.look("list", mnt + "/moved"));
  }

  /** Close-to-open: no time at all passes between the change and the look. */
  @Test
  void openSeesWhatWasClosedBeforeAtOnce() throws IOException {
    file("fast", "0");
    for (int i = 1; i <= 300; i++) {
      String content = Integer.toString(i);
      Files.writeString(host.resolve("fast"), content);
      assertEquals(content, observer.look("read", mnt + "/fast"));
    }
  }

  @Test
  void secondGuestSeesWhatTheFirstDoesAndHearsNothingOfItsOwn() throws Exception {
    try (Guest second = Guest.start();
        var other = new Observer(second)) {
      second
          .run(
              java.time.Duration.ofMinutes(1),
              Installation.agent(
                  "mount", "--server", lab.address(), host.toString(), lab.folder() + "/mnt"))
          .expectSuccess();
      file("shared", "before");
      assertEquals("before", observer.look("read", mnt + "/shared"));
      assertEquals("before", other.look("read", mnt + "/shared"));
      long told = counter("invalidations");
      assertEquals("written", observer.look("write", mnt + "/shared"));
      other.await("read", mnt + "/shared", "from the guest"::equals, PROMISED);
      assertEquals("ENOENT", other.look("stat", mnt + "/made"));
      observer.look("write", mnt + "/made");
      other.await("read", mnt + "/made", "from the guest"::equals, PROMISED);
      lab.guest().shell("cd %s; chmod 600 made; mv made moved; ln moved twice".formatted(mnt));
      other.await("stat", mnt + "/moved", "100600 14 2"::equals, PROMISED);
      other.await("stat", mnt + "/made", "ENOENT"::equals, PROMISED);
      // The overlay alone: nothing happens on the host.
      lab.guest().shell("chown 7:8 %s/moved".formatted(mnt));
      assertEquals("7 8", second.shell("stat -c '%u %g' " + mnt + "/moved"));
      assertEquals(told, counter("invalidations"), "a guest was told of its own changes");
    }
  }

  @Test
  void guestsOwnWorkKeepsItsCaches() {
    lab.guest()
        .shell(
            """
            cd %s
            for i in 1 2 3 4 5; do
              mkdir d$i; cp -r /etc/default d$i/; chmod -R 700 d$i; mv d$i e$i; ln -s e$i l$i
              cat e$i/default/* >/dev/null; ls -lR e$i >/dev/null
            done
            rm -r e1 l1
            """
                .formatted(mnt));
    assertEquals(0, counter("invalidations"));
  }

  /** The overlay's command line changes what guests see, too. */
  @Test
  void recordSetOnTheHostIsSeen() throws IOException {
    Path file = file("record", "x");
    assertTrue(observer.look("stat", mnt + "/record").startsWith("100644"));
    lab.hostshare("overlay", "set", "--mode", "4711", file.toString()).expectSuccess();
    observer.await("stat", mnt + "/record", s -> s.startsWith("104711"), PROMISED);
    lab.hostshare("overlay", "clear", file.toString()).expectSuccess();
    observer.await("stat", mnt + "/record", s -> s.startsWith("100644"), PROMISED);
  }

  /** Where nothing may be watched, everything is still seen, after a second. */
  @Test
  void withoutWatchesChangesAreSeenAfterASecond() throws IOException {
    stop();
    begin("--max-watches", "1");
    Lab.own(Files.createDirectory(host.resolve("a")));
    Lab.own(Files.createDirectory(host.resolve("b")));
    for (String dir : new String[] {"a", "b"}) {
      file(dir + "/f", "before");
      assertEquals("before", observer.look("read", mnt + "/" + dir + "/f"));
      assertEquals("ENOENT", observer.look("stat", mnt + "/" + dir + "/g"));
      Files.writeString(host.resolve(dir + "/f"), "after");
      assertEquals("after", observer.look("read", mnt + "/" + dir + "/f"));
      file(dir + "/g", "new");
      observer.await("stat", mnt + "/" + dir + "/g", s -> s.contains(" 3 "), 1_500);
      Files.setPosixFilePermissions(host.resolve(dir + "/f"), fromString("rwxrwxrwx"));
      observer.await("stat", mnt + "/" + dir + "/f", s -> s.startsWith("100777"), 1_500);
    }
    assertTrue(lab.server().log().contains("--max-watches"), lab.server().log());
  }

  /** More changes at once than the kernel keeps for a server that does not listen. */
  @Test
  void changesThatWereLostAreSeenAllTheSame() throws Exception {
    file("watched", "before");
    assertEquals("before", observer.look("read", mnt + "/watched"));
    assertEquals("ENOENT", observer.look("stat", mnt + "/last"));
    long pid = lab.server().pid();
    Command.run("kill", "-STOP", Long.toString(pid)).expectSuccess();
    try {
      // Not read by Java: sysctl files give no more after a first, short read.
      String limit = Command.run("cat", "/proc/sys/fs/fanotify/max_queued_events").expectSuccess();
      int events = Integer.parseInt(limit.strip());
      for (int i = 0; i < events + 100; i++) {
        Files.createFile(host.resolve("many" + i));
      }
      Files.writeString(host.resolve("watched"), "after");
      file("last", "new");
    } finally {
      Command.run("kill", "-CONT", Long.toString(pid)).expectSuccess();
    }
    observer.await("stat", mnt + "/last", s -> s.contains(" 3 "), NEVER);
    observer.await("stat", mnt + "/watched", s -> s.contains(" 5 "), NEVER);
    assertEquals("after", observer.look("read", mnt + "/watched"));
    long deadline = System.nanoTime() + NEVER * 1_000_000;
    while (!lab.server().log().contains("too many changes")) {
      assertTrue(System.nanoTime() < deadline, lab.server().log());
      Thread.onSpinWait();
    }
  }

  @Test
  void changesWhileTheServerWasAwayAreSeen() throws IOException {
    file("f", "before");
    assertEquals("before", observer.look("read", mnt + "/f"));
    assertEquals("ENOENT", observer.look("stat", mnt + "/g"));
    lab.server().kill();
    Files.writeString(host.resolve("f"), "after!");
    file("g", "new");
    lab.server().start();
    observer.await("stat", mnt + "/g", s -> s.contains(" 3 "), NEVER);
    assertEquals("after!", observer.look("read", mnt + "/f"));
    // And whole again.
    Files.writeString(host.resolve("f"), "again");
    observer.await("stat", mnt + "/f", s -> s.contains(" 5 "), NEVER);
  }

  /** The network fails and comes back; server, session and guest live on. */
  @Test
  void changesWhileTheStreamWasCutAreSeen() throws IOException {
    String second = lab.folder().resolve("second").toString();
    try (var relay = new Relay(lab.folder().resolve("relay"), lab.socket())) {
      lab.guest().run("mkdir", second).expectSuccess();
      lab.agent("mount", "--server", relay.address(), host.toString(), second).expectSuccess();
      file("f", "before");
      file("open", "before");
      file("h", "before");
      assertEquals("before", observer.look("read", second + "/f"));
      assertEquals("held", observer.look("hold", second + "/open"));
      assertEquals("before", observer.look("held", second + "/open"));
      assertEquals("ENOENT", observer.look("stat", second + "/g"));
      for (int i = 0; i < 3; i++) {
        relay.cut();
        Files.writeString(host.resolve("f"), "cut " + i);
        Files.writeString(host.resolve("open"), "cut " + i);
        Files.setPosixFilePermissions(
            host.resolve("h"), fromString(i % 2 == 0 ? "rwxrwxrwx" : "rw-------"));
        file("g" + i, "new");
        relay.mend();
        String mode = i % 2 == 0 ? "100777" : "100600";
        observer.await("stat", second + "/h", s -> s.startsWith(mode), NEVER);
        // The first look that was answered was told by the server: all that follow are right.
        assertEquals("100644 3 1", observer.look("stat", second + "/g" + i));
        assertEquals("cut " + i, observer.look("read", second + "/f"));
        assertEquals("cut " + i, observer.look("held", second + "/open"));
        // And the stream that took its place tells of changes.
        String content = "whole " + i;
        Files.writeString(host.resolve("open"), content);
        observer.await("held", second + "/open", content::equals, NEVER);
      }
      observer.look("drop", second + "/open");
      lab.agent("umount", second).expectSuccess();
    }
  }

  /** A directory that the kernel has the listing of is opened without the server. */
  @Test
  void keptListingsAreNeverOld() throws IOException {
    Path folder = Lab.owned(Files.createDirectory(host.resolve("kept")));
    String in = mnt + "/kept";
    assertEquals("", observer.look("list", in));
    observer.look("list", in);
    long asked = counter("total") - counter("local");
    for (int j = 0; j < 10; j++) {
      observer.look("list", in);
    }
    assertEquals(asked, counter("total") - counter("local"), "the server was asked");

    long best = Long.MAX_VALUE;
    for (int i = 0; i < TRIES; i++) {
      String name = "host" + i;
      Path file = file("kept/" + name, "x");
      best = Math.min(best, observer.await("list", in, s -> s.contains(name), NEVER));
      // The guest's own are there at once.
      lab.guest().run("touch", in + "/guest").expectSuccess();
      assertTrue(observer.look("list", in).contains("guest"));
      lab.guest().run("rm", in + "/guest").expectSuccess();
      assertFalse(observer.look("list", in).contains("guest"));
      Files.delete(file);
      observer.await("list", in, ""::equals, NEVER);
    }
    assertTrue(best <= PROMISED, "a new name was listed after " + best + " ms");
    Files.delete(folder);
    observer.await("list", in, s -> s.startsWith("E"), NEVER);
  }

  /** What the agent was told ahead, of names that the kernel had not asked for yet. */
  @Test
  void foldersKnownAheadAreNeverOld() throws IOException {
    Path folder = Lab.owned(Files.createDirectory(host.resolve("folder")));
    for (int i = 0; i < 100; i++) {
      file("folder/f" + i, "before");
    }
    String in = mnt + "/folder/";
    long local = counter("local");
    for (int i = 0; counter("local") == local; i++) {
      assertTrue(i < 50, "the folder is not looked at as a whole");
      observer.look("stat", in + "f" + i);
    }
    long best = Long.MAX_VALUE;
    for (int i = 50; i < 50 + TRIES; i++) {
      Files.writeString(folder.resolve("f" + i), "+", APPEND);
      Files.delete(folder.resolve("f6" + i % 10));
      file("folder/new" + i, "new");
      Files.move(folder.resolve("f7" + i % 10), folder.resolve("f8" + i % 10), REPLACE_EXISTING);
      Files.setPosixFilePermissions(folder.resolve("f9" + i % 10), fromString("rwxrwxrwx"));
      long begun = System.nanoTime();
      observer.await("stat", in + "f" + i, "100644 7 1"::equals, NEVER);
      observer.await("stat", in + "f6" + i % 10, "ENOENT"::equals, NEVER);
      observer.await("stat", in + "new" + i, "100644 3 1"::equals, NEVER);
      observer.await("stat", in + "f7" + i % 10, "ENOENT"::equals, NEVER);
      observer.await("read", in + "f8" + i % 10, "before"::equals, NEVER);
      observer.await("stat", in + "f9" + i % 10, s -> s.startsWith("100777"), NEVER);
      best = Math.min(best, (System.nanoTime() - begun) / 1_000_000);
    }
    assertTrue(best <= PROMISED, "changes were seen after " + best + " ms");

    // Where the host is busy, what it makes is seen at once.
    for (int i = 0; i < 200; i++) {
      file("folder/busy" + i, "x");
      assertEquals("100644 1 1", observer.look("stat", in + "busy" + i));
    }

    // What the kernel had asked for before, the guest changed, and the kernel forgot.
    lab.guest()
        .shell("cd %s; chmod 600 f0 f1 f2; stat f3 f4 >/dev/null; chmod 600 f3".formatted(in));
    Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "2");
    for (int i = 0; i < 5; i++) {
      String mode = i < 4 ? "100600" : "100644";
      assertEquals(mode + " 6 1", observer.look("stat", in + "f" + i));
    }

    // A directory that the guest has made is known to be empty, until it is not.
    lab.guest().run("mkdir", in + "own").expectSuccess();
    local = counter("local");
    assertEquals("ENOENT", observer.look("stat", in + "own/a"));
    assertEquals(local + 1, counter("local"));
    file("folder/own/b", "host");
    observer.await("read", in + "own/b", "host"::equals, PROMISED);
    lab.guest()
        .shell(
            """
            cd %sown
            echo 1 >a; rm a; [ ! -e a ]; echo 2 >a; mv a c; [ ! -e a ]; [ -e c ]; ln c a
            mkdir d; mv d e; [ ! -e d ]; touch e/x; [ -e e/x ]; rm -r e; mkdir e; [ ! -e e/x ]
            """
                .formatted(in));
    assertEquals("a b c e", observer.look("list", in + "own"));
  }

  /** What the agent was told of directories that the kernel did not know yet. */
  @Test
  void foldersToldBeforeTheirDirectoryIsKnownAreNeverOld() throws IOException {
    Lab.owned(Files.createDirectory(host.resolve("rows")));
    for (int i = 100; i < 100 + 12 * TRIES; i++) {
      Lab.owned(Files.createDirectory(host.resolve("rows/d" + i)));
      for (int j = 0; j < 8; j++) {
        file("rows/d" + i + "/f" + j, "before");
      }
    }
    String in = mnt + "/rows/d";
    long best = Long.MAX_VALUE;
    for (int first = 100; first < 100 + 12 * TRIES; first += 12) {
      for (int i = first; i < first + 4; i++) {
        for (int j = 0; j < 4; j++) {
          assertEquals("100644 6 1", observer.look("stat", in + i + "/f" + j));
        }
      }

      Path host4 = host.resolve("rows/d" + (first + 4));
      Files.writeString(host4.resolve("f0"), "+", APPEND);
      Files.delete(host4.resolve("f1"));
      file("rows/d" + (first + 4) + "/new", "new");
      Files.move(host4.resolve("f2"), host4.resolve("f3"), REPLACE_EXISTING);
      Files.setPosixFilePermissions(host4.resolve("f4"), fromString("rwxrwxrwx"));
      // Changes are told in their order: when the last is seen, all are.
      Files.writeString(host.resolve("rows/d" + first + "/f0"), "+", APPEND);
      best =
          Math.min(best, observer.await("stat", in + first + "/f0", "100644 7 1"::equals, NEVER));
      String in4 = in + (first + 4) + "/";
      assertEquals("100644 7 1", observer.look("stat", in4 + "f0"));
      assertEquals("ENOENT", observer.look("stat", in4 + "f1"));
      assertEquals("100644 3 1", observer.look("stat", in4 + "new"));
      assertEquals("ENOENT", observer.look("stat", in4 + "f2"));
      assertEquals("before", observer.look("read", in4 + "f3"));
      assertTrue(observer.look("stat", in4 + "f4").startsWith("100777"));

      // The directory itself goes, and another comes under its name.
      Path gone = host.resolve("rows/gone" + first);
      Files.move(host.resolve("rows/d" + (first + 5)), gone, ATOMIC_MOVE);
      Lab.owned(Files.createDirectory(host.resolve("rows/d" + (first + 5))));
      file("rows/d" + (first + 5) + "/f7", "another");
      Files.writeString(gone.resolve("f0"), "+", APPEND);
      Files.writeString(host.resolve("rows/d" + first + "/f0"), "+", APPEND);
      observer.await("stat", in + first + "/f0", "100644 8 1"::equals, NEVER);
      assertEquals("100644 7 1", observer.look("stat", in + (first + 5) + "/f7"));
      assertEquals("ENOENT", observer.look("stat", in + (first + 5) + "/f0"));
      assertEquals("100644 7 1", observer.look("stat", mnt + "/rows/gone" + first + "/f0"));

      // The guest's own changes are there at once.
      String own = in + (first + 6);
      lab.guest().shell("cd %s; touch own; rm f0; mv f1 z; chmod 600 f2".formatted(own));
      assertEquals("100644 0 1", observer.look("stat", own + "/own"));
      assertEquals("ENOENT", observer.look("stat", own + "/f0"));
      assertEquals("ENOENT", observer.look("stat", own + "/f1"));
      assertEquals("100644 6 1", observer.look("stat", own + "/z"));
      assertEquals("100600 6 1", observer.look("stat", own + "/f2"));
    }
    assertTrue(best <= PROMISED, "changes were seen after " + best + " ms");

    // Whoever goes through directories in their order asks the server for none of their names.
    Lab.owned(Files.createDirectory(host.resolve("order")));
    for (int i = 100; i < 120; i++) {
      Lab.owned(Files.createDirectory(host.resolve("order/d" + i)));
      for (int j = 0; j < 8; j++) {
        file("order/d" + i + "/f" + j, "before");
      }
    }
    in = mnt + "/order/d";
    long asked = 0;
    for (int i = 100; i < 120; i++) {
      if (i == 106) {
        asked = counter("total") - counter("local");
      }
      for (int j = 0; j < 8; j++) {
        assertEquals("100644 6 1", observer.look("stat", in + i + "/f" + j));
      }
    }
    asked = counter("total") - counter("local") - asked;
    // Once for each, or a little more; else it is once for each and for the first names in it.
    assertTrue(asked <= 28, "the server was asked " + asked + " times for 14 directories");
  }

  /** What was fetched of the next folders while a program was in those before them. */
  @Test
  void foldersOpenedAheadAreNeverOld() throws IOException {
    Lab.owned(Files.createDirectory(host.resolve("tree")));
    for (int i = 0; i < 60; i++) {
      Lab.owned(Files.createDirectory(host.resolve("tree/d" + (10 + i))));
      for (String name : new String[] {"a", "b", "c"}) {
        file("tree/d" + (10 + i) + "/" + name, "x");
      }
    }
    String in = mnt + "/tree/d";
    long best = Long.MAX_VALUE;
    for (int first = 10; first < 10 + 20 * TRIES; first += 20) {
      long local = counter("local");
      observer.look("list", mnt + "/tree");
      for (int i = first; i < first + 9; i++) {
        assertEquals("a b c", observer.look("list", in + i));
      }

      // The guest's own changes are there at once.
      lab.guest().shell("cd %s%d; touch own; rm a; mkdir sub".formatted(in, first + 9));
      assertEquals("b c own sub", observer.look("list", in + (first + 9)));
      lab.guest().shell("cd %s%d; mv a z; chmod 700 .".formatted(in, first + 10));
      assertEquals("b c z", observer.look("list", in + (first + 10)));
      assertEquals("100644 1 1", observer.look("stat", in + (first + 10) + "/z"));

      Path below = host.resolve("tree");
      file("tree/d" + (first + 11) + "/new", "new");
      Files.delete(below.resolve("d" + (first + 12) + "/b"));
      Files.move(below.resolve("d" + (first + 13)), below.resolve("e" + (first + 13)), ATOMIC_MOVE);
      Files.move(
          below.resolve("d" + (first + 14) + "/a"), below.resolve("d" + (first + 15) + "/d"));
      long begun = System.nanoTime();
      observer.await("list", in + (first + 11), "a b c new"::equals, NEVER);
      observer.await("read", in + (first + 11) + "/new", "new"::equals, NEVER);
      observer.await("list", in + (first + 12), "a c"::equals, NEVER);
      observer.await("list", in + (first + 13), "ENOENT"::equals, NEVER);
      observer.await("list", in + (first + 14), "b c"::equals, NEVER);
      observer.await("list", in + (first + 15), "a b c d"::equals, NEVER);
      best = Math.min(best, (System.nanoTime() - begun) / 1_000_000);
      long atHand = counter("local") - local;
      assertTrue(atHand >= 3, "of those from " + first + " on were at hand: " + atHand);
    }
    assertTrue(best <= PROMISED, "changes were seen after " + best + " ms");
  }

  @Test
  void hundredThousandFoldersAreWatchedAndGivenBack() throws Exception {
    stop();
    begin("--memory", "400m");
    lab.unmount();
    lab.mount("--memory", "400m");
    Path wide = Files.createDirectory(host.resolve("wide"));
    for (int i = 0; i < 1_000; i++) {
      Path dir = Files.createDirectory(wide.resolve("d" + i));
      for (int j = 0; j < 99; j++) {
        Files.createDirectory(dir.resolve("e" + j));
      }
    }
    Command.run("chown", "-R", Server.UID + ":" + Server.GID, wide.toString()).expectSuccess();
    assertEquals("100000", observer.look("walk", mnt + "/wide"));
    assertTrue(watched() >= 100_000, "watched: " + watched());
    assertEquals("ENOENT", observer.look("stat", mnt + "/wide/d999/e98/f"));
    file("wide/d999/e98/f", "new");
    observer.await("stat", mnt + "/wide/d999/e98/f", s -> s.contains(" 3 "), NEVER);

    long before = cpuMillis(lab.server().pid());
    Thread.sleep(2_000); // it is the idling that is measured
    long used = cpuMillis(lab.server().pid()) - before;
    assertTrue(used <= 20, "the idle server used " + used + " ms of two seconds");

    lab.unmount();
    long deadline = System.nanoTime() + NEVER * 1_000_000;
    while (watched() > 0) {
      assertTrue(System.nanoTime() < deadline, "watches are left: " + watched());
    }
  }

  private static long cpuMillis(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(p -> p.info().totalCpuDuration())
        .orElseThrow(() -> new AssertionError("no such process"))
        .toMillis();
  }

  private long watched() {
    String json = lab.hostshare("status", "--json").expectSuccess();
    var found = Pattern.compile("\"watchedDirectories\":\\s*\"?(\\d+)").matcher(json);
    assertTrue(found.find(), json);
    return Long.parseLong(found.group(1));
  }
}
