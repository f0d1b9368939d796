package dev.hostshare.fileserver.export;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.fileserver.export.PosixAcl.AclEntry;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PosixAclTest {
  private static final PosixAcl ACL =
      new PosixAcl(
          List.of(
              new AclEntry(PosixAcl.USER_OBJ, 7, -1),
              new AclEntry(PosixAcl.USER, 6, 1000),
              new AclEntry(PosixAcl.GROUP_OBJ, 5, -1),
              new AclEntry(PosixAcl.GROUP, 7, 50),
              new AclEntry(PosixAcl.MASK, 4, -1),
              new AclEntry(PosixAcl.OTHER, 1, -1)));

  private static Caller caller(int uid, int gid) {
    return new Caller(true, uid, gid, 1, new int[0]);
  }

  @Test
  void readsWhatItWrites() {
    byte[] bytes = ACL.toBytes();
    assertEquals(ACL, PosixAcl.parse(bytes));
    assertArrayEquals(bytes, PosixAcl.parse(bytes).toBytes());
  }

  @Test
  void refusesWhatIsMalformed() {
    assertNull(PosixAcl.parse(new byte[0]));
    assertNull(PosixAcl.parse(new byte[] {1, 0, 0, 0}), "version 1");
    assertNull(PosixAcl.parse(new byte[] {2, 0, 0, 0, 1}), "half an entry");
    PosixAcl twoOwners =
        new PosixAcl(
            List.of(
                new AclEntry(PosixAcl.USER_OBJ, 7, -1),
                new AclEntry(PosixAcl.USER_OBJ, 7, -1),
                new AclEntry(PosixAcl.GROUP_OBJ, 7, -1),
                new AclEntry(PosixAcl.OTHER, 7, -1)));
    assertNull(PosixAcl.parse(twoOwners.toBytes()));
    PosixAcl noMask =
        new PosixAcl(ACL.entries().stream().filter(e -> e.tag() != PosixAcl.MASK).toList());
    assertNull(PosixAcl.parse(noMask.toBytes()));
  }

  @Test
  void theMaskIsShownAsTheGroup() {
    assertEquals(0741, ACL.toMode());
    assertFalse(ACL.isMinimal());
  }

  @Test
  void chmodSetsTheMaskAndLeavesTheGroup() {
    PosixAcl changed = ACL.withMode(0620);
    assertEquals(0620, changed.toMode());
    assertTrue(changed.entries().contains(new AclEntry(PosixAcl.GROUP_OBJ, 5, -1)));
    assertTrue(changed.entries().contains(new AclEntry(PosixAcl.MASK, 2, -1)));
  }

  @Test
  void aNewFileGetsNoMoreThanItsCreatorAsked() {
    assertEquals(0640, ACL.forCreation(0660).toMode());
  }

  @Test
  void permissionsAreThoseOfAcl5() {
    assertEquals(7, ACL.permissionsFor(caller(7, 7), 7, 7), "the owner, whatever the mask");
    assertEquals(4, ACL.permissionsFor(caller(1000, 1000), 7, 7), "a named user, masked");
    assertEquals(4, ACL.permissionsFor(caller(8, 50), 7, 7), "a named group, masked");
    assertEquals(4, ACL.permissionsFor(caller(8, 7), 7, 7), "the owning group, masked");
    assertEquals(1, ACL.permissionsFor(caller(8, 8), 7, 7), "everyone else");
  }
}
