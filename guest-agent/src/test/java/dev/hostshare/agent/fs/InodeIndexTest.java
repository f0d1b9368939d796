package dev.hostshare.agent.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class InodeIndexTest {
  /** By inode number, with so few hashes that most collide. */
  private static final class ByNumber extends InodeIndex<Long> {
    private final int hashes;

    ByNumber(int hashes) {
      this.hashes = hashes;
    }

    @Override
    int hashOf(Inode inode) {
      return hash(inode.ino);
    }

    @Override
    int hash(Long key) {
      return Long.hashCode(key % hashes);
    }

    @Override
    boolean matches(Inode inode, Long key) {
      return inode.ino == key;
    }

    @Override
    boolean same(Inode one, Inode other) {
      return one.ino == other.ino;
    }
  }

  private static Inode inode(long number) {
    return new Inode(number, new Inode.Key(1, number, 1, 1), null);
  }

  @Test
  void isAMap() {
    for (int hashes : new int[] {1, 3, 50, 1_000_000}) {
      var index = new ByNumber(hashes);
      Map<Long, Inode> expected = new HashMap<>();
      List<Inode> gone = new ArrayList<>();
      var random = new Random(hashes);
      for (int i = 0; i < 20_000; i++) {
        long number = random.nextInt(i < 10_000 ? 600 : 60);
        switch (random.nextInt(4)) {
          case 0, 1 -> {
            Inode inode = inode(number);
            Inode old = expected.put(number, inode);
            if (old != null) {
              gone.add(old);
            }
            index.put(inode);
          }
          case 2 -> assertSame(expected.remove(number), index.remove(number));
          default -> {
            if (!gone.isEmpty()) {
              index.remove(gone.removeLast()); // another is found by the same
            }
            Inode inode = expected.remove(number);
            if (inode != null) {
              index.remove(inode);
            }
          }
        }
        assertEquals(expected.size(), index.size());
        assertSame(expected.get(number), index.get(number));
      }
      for (long number = 0; number < 600; number++) {
        assertSame(expected.get(number), index.get(number));
      }
      for (long number = 0; number < 600; number++) {
        index.remove(number);
        assertNull(index.get(number));
      }
      assertEquals(0, index.size());
    }
  }
}
