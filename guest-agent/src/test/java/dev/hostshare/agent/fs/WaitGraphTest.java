package dev.hostshare.agent.fs;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.Lock;
import org.junit.jupiter.api.Test;

final class WaitGraphTest {
  private final WaitGraph graph = new WaitGraph();
  private final Inode one = new Inode(2, new Inode.Key(1, 2, 3, 4), new Inode.Binding(1, 1));
  private final Inode two = new Inode(3, new Inode.Key(1, 3, 3, 4), new Inode.Binding(1, 2));

  @Test
  void seesACircleOverSeveralFilesAndOwners() {
    one.takesLocks().granted(null, 1, false, write(0));
    two.takesLocks().granted(null, 2, false, write(0));
    one.takesLocks().granted(null, 3, false, write(9));

    assertTrue(graph.begin(1, two, write(0)), "1 waits for 2");
    assertTrue(graph.begin(2, one, write(9)), "2 waits for 3");
    assertFalse(graph.begin(3, one, write(0)), "3 would wait for 1, which waits for 2, for 3");
  }

  @Test
  void forgetsAWaitThatHasEnded() {
    one.takesLocks().granted(null, 1, false, write(0));
    two.takesLocks().granted(null, 2, false, write(0));
    assertTrue(graph.begin(1, two, write(0)));
    graph.end(1);
    assertTrue(graph.begin(2, one, write(0)));
  }

  @Test
  void letsReadersAndOtherRangesBe() {
    one.takesLocks().granted(null, 1, false, read(0));
    two.takesLocks().granted(null, 2, false, write(0));
    assertTrue(graph.begin(1, two, write(0)));
    assertTrue(graph.begin(2, one, read(0)), "a reader is not in a reader's way");
    assertTrue(graph.begin(2, one, write(5)), "nobody has this range");
  }

  private static Lock write(long at) {
    return Lock.newBuilder().setType(Linux.F_WRLCK).setStart(at).setEnd(at).build();
  }

  private static Lock read(long at) {
    return write(at).toBuilder().setType(Linux.F_RDLCK).build();
  }
}
