package dev.hostshare.agent.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.Detail;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class WalksTest {
  private static final int THREAD = 7;
  private static final int FILES = 10;

  private final Walks walks = new Walks();
  private final Set<Inode> asked = new HashSet<>();
  private final Inode root = directory(null, "/");
  private long nextId = 1;

  private Inode directory(Inode parent, String name) {
    long id = nextId++;
    var inode = new Inode(id, new Inode.Key(1, id, 1, 1), new Inode.Binding(1, id));
    inode.parent = parent;
    inode.name = ByteString.copyFromUtf8(name);
    inode.tell(Attr.newBuilder().setSize(4096).build(), true);
    return inode;
  }

  /** Directories whose listed order is not that of their names. */
  private List<Inode> directories(Inode parent, int count) {
    var all = new ArrayList<Inode>();
    for (int i = 0; i < count; i++) {
      all.add(directory(parent, "d%03d".formatted((i * 7 + 3) % count)));
    }
    return all;
  }

  private Detail visit(Inode inode, List<Inode> subdirectories) {
    Detail detail = walks.opens(THREAD, inode);
    asked.remove(inode);
    ask();
    walks.listed(THREAD, inode, subdirectories, FILES, detail);
    ask();
    return detail;
  }

  private List<Inode> ask() {
    List<Inode> next = walks.next(THREAD, inode -> false, asked::contains);
    for (Inode inode : next) {
      assertTrue(asked.add(inode), "asked for twice");
    }
    return next;
  }

  private void sort(List<Inode> order) {
    order.sort((a, b) -> a.name.toStringUtf8().compareTo(b.name.toStringUtf8()));
  }

  @Test
  void directoriesAreExpectedInTheOrderInWhichTheyWereListed() {
    isExpected(directories(root, 100));
  }

  @Test
  void directoriesAreExpectedInTheOrderOfTheirNames() {
    List<Inode> listed = directories(root, 100);
    visit(root, listed);
    List<Inode> order = new ArrayList<>(listed);
    sort(order);
    follow(order);
  }

  @Test
  void whatIsListedAgainIsGoneThroughAgain() {
    List<Inode> listed = directories(root, 50);
    visit(root, listed);
    follow(listed);
    walks.opens(THREAD, root); // and read from the kernel's cache
    follow(listed);
  }

  @Test
  void theOrderOfNamesIsRecognizedInTheMiddle() {
    List<Inode> listed = directories(root, 100);
    visit(root, listed);
    List<Inode> order = new ArrayList<>(listed);
    sort(order);
    follow(order.subList(40, 100));
  }

  private void isExpected(List<Inode> listed) {
    visit(root, listed);
    follow(listed);
  }

  private void follow(List<Inode> order) {
    int missed = 0;
    for (Inode inode : order) {
      if (!asked.contains(inode)) {
        missed++;
      }
      visit(inode, List.of());
    }
    assertTrue(missed <= 5, "not asked for ahead: " + missed);
    assertEquals(Set.of(), asked, "asked for in vain");
  }

  @Test
  void whatIsBelowComesBeforeWhatIsBeside() {
    List<Inode> outer = directories(root, 10);
    visit(root, outer);
    int missed = 0;
    int all = 0;
    for (Inode directory : outer) {
      missed += asked.contains(directory) ? 0 : 1;
      List<Inode> inner = directories(directory, 20);
      visit(directory, inner);
      for (Inode below : inner) {
        missed += asked.contains(below) ? 0 : 1;
        all++;
        visit(below, List.of());
      }
    }
    assertEquals(200, all);
    assertTrue(missed <= 6, "not asked for ahead: " + missed);
  }

  @Test
  void manyAreAskedForAtOnce() {
    List<Inode> listed = directories(root, 200);
    visit(root, listed);
    int requests = 0;
    for (Inode inode : listed) {
      walks.opens(THREAD, inode);
      asked.remove(inode);
      requests += ask().isEmpty() ? 0 : 1;
      walks.listed(THREAD, inode, List.of(), FILES, Detail.ATTRIBUTES);
    }
    assertTrue(requests <= 20, "requests: " + requests);
  }

  @Test
  void nothingIsExpectedOfOneWhoOpensAtRandom() {
    List<Inode> listed = directories(root, 100);
    visit(root, listed);
    for (int i = 0; i < 100; i++) {
      visit(listed.get(i * 37 % 100), List.of());
    }
    assertEquals(Set.of(), asked);
  }

  @Test
  void nothingIsExpectedOfAnUnknownThread() {
    List<Inode> listed = directories(root, 100);
    walks.opens(0, root);
    walks.listed(0, root, listed, FILES, Detail.ATTRIBUTES);
    for (Inode inode : listed) {
      assertEquals(Detail.ATTRIBUTES, walks.opens(0, inode));
      assertEquals(List.of(), walks.next(0, i -> false, i -> false));
    }
  }

  @Test
  void whatTheKernelHasIsNotAskedFor() {
    List<Inode> listed = directories(root, 100);
    visit(root, listed);
    for (Inode inode : listed.subList(0, 50)) {
      walks.opens(THREAD, inode);
      assertEquals(List.of(), walks.next(THREAD, i -> true, i -> false));
    }
  }

  @Test
  void whoNeverLooksAtFilesIsToldTheirNamesOnly() {
    List<Inode> listed = directories(root, 30);
    visit(root, listed);
    assertEquals(Detail.ATTRIBUTES, visit(listed.get(0), List.of()));
    for (Inode inode : listed.subList(1, 30)) {
      assertEquals(Detail.DIRECTORIES, visit(inode, List.of()));
    }
  }

  @Test
  void whoLooksAtFilesIsToldOfThem() {
    List<Inode> listed = directories(root, 30);
    visit(root, listed);
    visit(listed.get(0), List.of());
    assertEquals(Detail.DIRECTORIES, visit(listed.get(1), List.of()), "to see whether it looks");
    assertEquals(Set.of(), asked, "it is not known yet what to ask for");
    for (int i = 0; i < FILES; i++) {
      walks.lookedAt(THREAD);
    }
    for (Inode inode : listed.subList(2, 30)) {
      assertEquals(Detail.ATTRIBUTES, visit(inode, List.of()));
    }
  }

  @Test
  void aLargeDirectoryIsNotTheFirstToBeToldByName() {
    List<Inode> listed = directories(root, 30);
    visit(root, listed);
    visit(listed.get(0), List.of());
    Inode large = listed.get(1);
    large.tell(Attr.newBuilder().setSize(10 << 20).build(), true);
    assertEquals(Detail.ATTRIBUTES, visit(large, List.of()));
    assertEquals(Detail.DIRECTORIES, visit(listed.get(2), List.of()));
    visit(listed.get(3), List.of());
    large.parent = root;
    assertEquals(Detail.DIRECTORIES, walks.opens(THREAD, large), "by then it is known");
    assertFalse(asked.isEmpty());
  }
}
