package dev.hostshare.agent.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Lock;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LockLedgerTest {
  private static final long OWNER = 7;

  private final LockLedger ledger = new LockLedger();
  private final OpenFile file =
      new OpenFile(new Inode(1, new Inode.Key(1, 1, 1, 1), null), 0, new OpenFile.Binding(1, 1));
  private final OpenFile other =
      new OpenFile(new Inode(1, new Inode.Key(1, 1, 1, 1), null), 0, new OpenFile.Binding(1, 2));

  @Test
  void splitsALockThatIsUnlockedInTheMiddle() {
    ledger.granted(file, OWNER, false, lock(Linux.F_WRLCK, 0, 99));
    ledger.granted(file, OWNER, false, lock(Linux.F_UNLCK, 40, 59));
    assertEquals(List.of("1:0-39", "1:60-99"), ranges());
  }

  @Test
  void replacesThePartThatANewLockCovers() {
    ledger.granted(file, OWNER, false, lock(Linux.F_WRLCK, 0, 99));
    ledger.granted(file, OWNER, false, lock(Linux.F_RDLCK, 50, Long.MAX_VALUE));
    assertEquals(List.of("1:0-49", "0:50-" + Long.MAX_VALUE), ranges());
  }

  @Test
  void keepsOwnersAndKindsApart() {
    ledger.granted(file, OWNER, false, lock(Linux.F_RDLCK, 0, 9));
    ledger.granted(file, OWNER + 1, false, lock(Linux.F_RDLCK, 0, 9));
    ledger.granted(file, OWNER, true, lock(Linux.F_RDLCK, 0, Long.MAX_VALUE));
    ledger.granted(file, OWNER, false, lock(Linux.F_UNLCK, 0, Long.MAX_VALUE));
    assertEquals(List.of("0:0-9", "0:0-" + Long.MAX_VALUE), ranges());
  }

  @Test
  void dropsAProcesssLocksWithTheCloseOfAnyOfItsDescriptors() {
    ledger.granted(file, OWNER, false, lock(Linux.F_WRLCK, 0, 9));
    ledger.granted(other, OWNER, false, lock(Linux.F_WRLCK, 20, 29));
    assertTrue(ledger.dropPosix(OWNER));
    assertFalse(ledger.dropPosix(OWNER), "there are none left");
  }

  @Test
  void keepsABsdLockToItsOpenFile() {
    ledger.granted(file, OWNER, true, lock(Linux.F_RDLCK, 0, Long.MAX_VALUE));
    ledger.granted(other, OWNER, true, lock(Linux.F_RDLCK, 0, Long.MAX_VALUE));
    ledger.dropFlock(file);
    assertEquals(List.of(), ranges());
    assertEquals(1, ledger.through(other).size());
  }

  private List<String> ranges() {
    return ledger.through(file).stream()
        .map(held -> held.type() + ":" + held.start() + "-" + held.end())
        .toList();
  }

  private static Lock lock(int type, long start, long end) {
    return Lock.newBuilder().setType(type).setStart(start).setEnd(end).build();
  }
}
