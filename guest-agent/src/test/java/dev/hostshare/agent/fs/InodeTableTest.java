package dev.hostshare.agent.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.Entry;
import org.junit.jupiter.api.Test;

final class InodeTableTest {
  private final InodeTable table = new InodeTable(entry(100, 1, 1), 1);

  @Test
  void countsLookupsAndGivesAllOfThemBackAtOnce() throws Exception {
    Inode file = enter(entry(101, 5, 9), 1, "f");
    assertSame(file, enter(entry(101, 5, 9), 1, "f"));
    assertSame(file, enter(entry(101, 5, 9), 1, "hard link"));

    assertNull(table.forget(file.id, 2), "the kernel still holds one");
    InodeTable.Forgotten forgotten = table.forget(file.id, 1);

    assertEquals(101, forgotten.one().getNode());
    assertEquals(3, forgotten.one().getCount());
    assertNull(table.get(file.id));
  }

  @Test
  void neverUsesANumberTwice() throws Exception {
    Inode first = enter(entry(101, 5, 9), 1, "f");
    table.forget(first.id, 1);
    assertNotEquals(first.id, enter(entry(101, 5, 9), 1, "f").id);
  }

  @Test
  void neverForgetsTheRoot() {
    assertNull(table.forget(InodeTable.ROOT_ID, 1));
    assertSame(table.root(), table.get(InodeTable.ROOT_ID));
  }

  @Test
  void knowsAFileAgainInANewSession() throws Exception {
    Inode file = enter(entry(101, 5, 9), 1, "f");

    Inode again = enter(entry(7777, 5, 9), 2, "f");

    assertSame(file, again);
    assertTrue(file.isCurrent(2));
    assertEquals(7777, file.node());
    assertEquals(
        1, table.forget(file.id, 2).one().getCount(), "counts of the old session are void");
  }

  @Test
  void takesAReusedInodeNumberForAnotherFile() throws Exception {
    Inode file = enter(entry(101, 5, 9), 1, "f");
    assertNotEquals(file.id, enter(entry(102, 5, 10), 2, "f").id);
  }

  @Test
  void keepsTwoNodesApartThatLookAlike() throws Exception {
    // A volume without birth times: the first was unlinked while open, the second got its number.
    Inode first = enter(entry(101, 5, 0), 1, "f");
    Inode second = enter(entry(102, 5, 0), 1, "g");
    assertNotEquals(first.id, second.id);
    assertSame(first, table.get(first.id));
  }

  @Test
  void refusesAnEntryOfASessionThatIsOver() throws Exception {
    enter(entry(101, 5, 9), 2, "f");
    var e = assertThrows(ErrnoException.class, () -> enter(entry(102, 6, 9), 1, "g"));
    assertEquals(Errno.ESTALE, e.errno());
  }

  @Test
  void rebindsOnlyToTheSameFile() throws Exception {
    Inode file = enter(entry(101, 5, 9), 1, "f");
    assertFalse(table.rebind(file, entry(200, 6, 9), 2));
    assertTrue(table.rebind(file, entry(201, 5, 9), 2));
    assertEquals(201, file.node());
  }

  @Test
  void followsRenames() throws Exception {
    Inode a = enter(entry(101, 5, 9), 1, "a");
    Inode b = enter(entry(102, 6, 9), 1, "b");

    table.renamed(table.root(), name("a"), table.root(), name("b"), true);
    assertEquals(name("b"), a.name);
    assertEquals(name("a"), b.name);

    table.renamed(table.root(), name("b"), table.root(), name("c"), false);
    assertEquals(name("c"), a.name);
  }

  @Test
  void whatTheKernelForgotIsNotPutBack() throws Exception {
    Inode gone = enter(entry(101, 5, 9), 1, "f");
    table.forget(gone.id, 1);
    assertFalse(table.rebind(gone, entry(7777, 5, 9), 2));
    assertNull(table.byNode(7777, 2));
    assertNotEquals(gone.id, enter(entry(7777, 5, 9), 2, "f").id);
  }

  @Test
  void tellsWhatWasLookedUpLongestAgo() throws Exception {
    Inode a = enter(entry(101, 5, 9), 1, "a");
    Inode b = enter(entry(102, 6, 9), 1, "b");
    Inode c = enter(entry(103, 7, 9), 1, "c");
    enter(entry(101, 5, 9), 1, "a"); // again

    assertArrayEquals(new long[] {b.id, c.id}, table.oldest(2));
    assertArrayEquals(new long[] {a.id}, table.oldest(1), "others come first");
    table.forget(b.id, 1);
    c.opened();
    assertArrayEquals(new long[] {a.id}, table.oldest(10), "not what is open, nor the root");
    c.closed();
    table.forget(a.id, 2);
    assertArrayEquals(new long[] {c.id}, table.oldest(10));
    table.forget(c.id, 1);
    assertArrayEquals(new long[0], table.oldest(10));
    Inode d = enter(entry(104, 8, 9), 1, "d");
    assertArrayEquals(new long[] {d.id}, table.oldest(10));
  }

  private Inode enter(Entry entry, long generation, String name) throws ErrnoException {
    return table.enter(entry, generation, table.root(), name(name));
  }

  private static ByteString name(String name) {
    return ByteString.copyFromUtf8(name);
  }

  private static Entry entry(long node, long ino, long btime) {
    return Entry.newBuilder()
        .setNode(node)
        .setAttr(Attr.newBuilder().setIno(ino).setBtime(btime).setVolume(1))
        .build();
  }
}
