package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the guest sets is the guest's, what the host has is the host's, and both last. */
@SystemTest
class OwnershipTest {
  private Lab lab;

  @BeforeEach
  void start() {
    lab = Lab.start(Driver.KERNEL, "");
  }

  @AfterEach
  void stop() {
    if (lab != null) {
      lab.close();
    }
  }

  /** A file as the host's user would make it. */
  private void hostFile(String name, String content, String mode) throws IOException {
    var file = lab.host().resolve(name);
    Files.writeString(file, content);
    Lab.own(file);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  private String inGuest(String script) {
    return lab.guest().shell("cd " + lab.mnt() + "\n" + script);
  }

  private String guestStat(String name) {
    return inGuest("stat -c '%u %g %a' " + name);
  }

  /** Owner, group, mode, attributes of everything, as the host sees it. */
  private String hostTree() {
    return Command.run(
            "sh",
            "-c",
            "cd "
                + lab.host()
                + " && find . -printf '%P %y %U %G %m\\n' | sort && getfattr -R -h -d -m - . &&"
                + " getfacl -R -n .")
        .expectSuccess();
  }

  @Test
  void hostKeepsOwnersModesAndAttributes() throws IOException {
    hostFile("a", "a", "rw-r--r--");
    hostFile("b", "b", "r--------");
    Files.createDirectory(lab.host().resolve("d"));
    Lab.own(lab.host().resolve("d"));
    hostFile("d/c", "c", "rwxr-x---");
    var before = hostTree();
    inGuest(
        """
        chown -R 999:998 a b d
        chmod 4711 a; chmod 000 b; chmod 1777 d; chmod g+s d/c
        setfattr -n user.note -v x a; setfattr -n trusted.t -v y d
        setfacl -m u:1001:rwx d/c; setfacl -d -m g:5:rwx d
        chgrp 5 d
        """);
    assertEquals(before, hostTree());
    assertEquals("999 998 4711", guestStat("a"));
    assertEquals("999 998 0", guestStat("b"));
    assertEquals("999 5 1777", guestStat("d"));
  }

  @Test
  void whatTheGuestMakesBelongsToTheServersUserOnTheHost() throws IOException {
    inGuest(
        """
        touch file; mkdir dir; ln -s file link; mkfifo fifo; mknod dev c 1 3
        touch closed; chmod 000 closed; mkdir private; chmod 0 private
        """);
    for (var name : new String[] {"file", "dir", "link", "fifo", "dev", "closed", "private"}) {
      var path = lab.host().resolve(name);
      assertEquals(
          Server.UID,
          Files.getAttribute(path, "unix:uid", java.nio.file.LinkOption.NOFOLLOW_LINKS),
          name);
    }
    assertTrue(Files.isRegularFile(lab.host().resolve("fifo")), "a placeholder");
    assertEquals(0, Files.size(lab.host().resolve("dev")));
    // The server has to get at them, whatever the guest sees.
    var closed = Files.getPosixFilePermissions(lab.host().resolve("closed"));
    assertTrue(closed.containsAll(PosixFilePermissions.fromString("rw-------")));
    var dir = Files.getPosixFilePermissions(lab.host().resolve("private"));
    assertTrue(dir.containsAll(PosixFilePermissions.fromString("rwx------")));
  }

  @Test
  void everythingSurvivesARestart() {
    var told =
        """
        stat -c '%n %F %u %g %a %t %T' a fifo dev sock d
        getfattr -d -m - a; getfacl -n d
        """;
    inGuest(
        """
        echo x > a; chown 999:998 a; chmod 4750 a; setfattr -n user.note -v kept a
        mkfifo -m 640 fifo; mknod -m 600 dev b 8 17; chown 7:8 dev
        python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
        mkdir d; setfacl -m u:1001:rwx -d -m g:5:rx d
        """);
    var before = inGuest(told);
    lab.restartEverything();
    assertEquals(before, inGuest(told));
  }

  /** The record is written before the reply: what chown(1) has returned from is safe. */
  @Test
  void recordsSurviveKillRightAfterTheReply() {
    inGuest("for i in $(seq 0 9); do echo $i > f$i; done");
    for (int i = 0; i < 10; i++) {
      inGuest("chown 1%1$s:2%1$s f%1$s; chmod 2%1$s0 f%1$s; mkfifo p%1$s".formatted(i % 8));
      lab.server().kill();
      lab.unmount();
      lab.server().start();
      lab.mount();
      int n = i % 8;
      assertEquals("1%1$s 2%1$s 2%1$s0".formatted(n), guestStat("f" + n));
      assertEquals("fifo", inGuest("stat -c %F p" + n));
      if (i < 2) {
        inGuest("rm p" + n);
      }
    }
    assertEquals("no problems", verify());
  }

  private String verify() {
    var command = lab.hostshare("overlay", "verify");
    return command.status() == 0 ? "no problems" : command.said();
  }

  @Test
  void renameOnTheHostKeepsTheRecord() throws IOException {
    hostFile("old", "x", "rw-r--r--");
    Files.createDirectory(lab.host().resolve("dir"));
    Lab.own(lab.host().resolve("dir"));
    hostFile("dir/inner", "y", "rw-r--r--");
    inGuest("chown 999:998 old; chown -R 997:996 dir");
    Files.move(lab.host().resolve("old"), lab.host().resolve("dir/new"));
    Files.move(lab.host().resolve("dir"), lab.host().resolve("moved"));
    lab.restartEverything();
    assertEquals("999 998 644", guestStat("moved/new"));
    assertEquals("997 996 644", guestStat("moved/inner"));
    assertEquals("997 996 755", guestStat("moved"));
  }

  /** Write the new content beside, rename it over: how editors save. */
  @Test
  void atomicSaveOnTheHostInheritsTheRecord() throws IOException {
    hostFile("conf", "old", "rw-r--r--");
    inGuest("chown 999:998 conf; chmod 600 conf; setfattr -n user.note -v x conf");
    for (int i = 0; i < 3; i++) {
      hostFile("conf.tmp", "new" + i, "rw-r--r--");
      Files.move(
          lab.host().resolve("conf.tmp"),
          lab.host().resolve("conf"),
          StandardCopyOption.ATOMIC_MOVE,
          StandardCopyOption.REPLACE_EXISTING);
      lab.unmount();
      lab.mount();
      assertEquals("new" + i, inGuest("cat conf"));
      assertEquals("999 998 600", guestStat("conf"));
    }
    assertTrue(inGuest("getfattr -d conf").contains("note=\"x\""));
  }

  /** ext4 gives a freed inode number to the next file: it must not come with the old owner. */
  @Test
  void recycledInodeInheritsNothing() throws IOException {
    int recycled = 0;
    for (int i = 0; i < 20; i++) {
      var name = "f" + i;
      hostFile(name, "x", "rw-r--r--");
      inGuest("chown 999:998 %1$s; chmod 4755 %1$s".formatted(name));
      var old = Files.getAttribute(lab.host().resolve(name), "unix:ino");
      Files.delete(lab.host().resolve(name));
      hostFile("g" + i, "y", "rw-r--r--");
      if (old.equals(Files.getAttribute(lab.host().resolve("g" + i), "unix:ino"))) {
        recycled++;
      }
      var next = "g" + i;
      // A new name is seen within 100 ms.
      inGuest("for i in $(seq 100); do [ ! -e %s ] || break; sleep 0.001; done".formatted(next));
      assertEquals(Server.UID + " " + Server.GID + " 644", guestStat(next));
    }
    assertNotEquals(0, recycled, "this file system does not recycle: the test proves nothing");
  }

  @Test
  void fixedOwnerIsShownWhereNothingIsRecorded() throws IOException {
    lab.close();
    lab = Lab.start(Driver.KERNEL, ",owner=1234:2345");
    hostFile("f", "x", "rw-r-----");
    assertEquals("1234 2345 640", guestStat("f"));
    inGuest("chown 999 f");
    assertEquals("999 2345 640", guestStat("f"));
    inGuest("touch g");
    assertEquals("0 0 644", guestStat("g"));
  }

  @Test
  void callerPolicyShowsEachUserHisOwn() throws IOException {
    lab.close();
    lab = Lab.start(Driver.KERNEL, ",owner=caller");
    hostFile("f", "x", "rw-------");
    var asUser = "setpriv --reuid=%1$s --regid=%1$s --clear-groups -- sh -euc \"%2$s\"\n";
    for (int round = 0; round < 3; round++) {
      for (int uid : new int[] {1000, 1001}) {
        assertEquals(
            uid + " " + uid + " 600", inGuest(asUser.formatted(uid, "stat -c '%u %g %a' f")));
        assertEquals("x", inGuest(asUser.formatted(uid, "cat f")));
      }
    }
    inGuest("chown 1000:1000 f");
    assertEquals("1000 1000 600", inGuest(asUser.formatted(1001, "stat -c '%u %g %a' f")));
    inGuest(asUser.formatted(1001, "! cat f 2>/dev/null; ! sh -c ': > f' 2>/dev/null"));
    assertEquals("x", inGuest(asUser.formatted(1000, "cat f")));
  }

  /**
   * A container engine's idmapped volume: the ids of the mount are mapped, those stored are not.
   */
  @Test
  void idmappedMountMapsBothWays() {
    assumeTrue(
        kernelIsAtLeast(6, 12), "FUSE knows idmapped mounts (FUSE_ALLOW_IDMAP) from Linux 6.12");
    assertEquals(
        "10000 10000\n10005 10005\n5 5\n7 7",
        inGuest(
            """
            unshare -U sleep 60 & holder=$!
            trap 'umount /run/idmapped; kill $holder' EXIT
            until [ "$(readlink /proc/$holder/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do kill -0 $holder; done
            echo 0 10000 65536 > /proc/$holder/uid_map
            echo 0 10000 65536 > /proc/$holder/gid_map
            mkdir -p /run/idmapped; mkdir d; chmod 777 d
            perl -e '
              my ($from, $to, $pid) = @ARGV; my $empty = "";
              open(my $ns, "<", "/proc/$pid/ns/user") or die "user namespace: $!";
              my $tree = syscall(428, -100, $from, 02000001); # open_tree, OPEN_TREE_CLONE
              $tree >= 0 or die "open_tree: $!";
              my $attr = pack("QQQQ", 0x100000, 0, 0, fileno($ns)); # MOUNT_ATTR_IDMAP
              syscall(442, $tree, $empty, 0x1000, $attr, 32) == 0 or die "mount_setattr: $!";
              syscall(429, $tree, $empty, -100, $to, 4) == 0 or die "move_mount: $!";
            ' "$PWD" /run/idmapped $holder
            stat -c '%u %g' /run/idmapped/d
            setpriv --reuid=10005 --regid=10005 --clear-groups touch /run/idmapped/d/f
            stat -c '%u %g' /run/idmapped/d/f
            stat -c '%u %g' d/f
            chown 10007:10007 /run/idmapped/d/f
            stat -c '%u %g' d/f
            """));
  }

  private static boolean kernelIsAtLeast(int major, int minor) {
    var parts = System.getProperty("os.version").split("[^0-9]+", 3);
    int hostMajor = Integer.parseInt(parts[0]);
    return hostMajor > major || (hostMajor == major && Integer.parseInt(parts[1]) >= minor);
  }
}
