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
  /** A number with so few hashes that most collide. */
  private record Key(long number, int hashes) {
    @Override
    public int hashCode() {
      return Long.hashCode(number % hashes);
    }
  }

  private static InodeIndex<Key> index(int hashes) {
    return new InodeIndex<>(
        inode -> new Key(inode.ino, hashes),
        inode -> new Key(inode.ino, hashes).hashCode(),
        (inode, key) -> inode.ino == key.number);
  }

  private static Inode inode(long number) {
    return new Inode(number, new Inode.Key(1, number, 1, 1), null);
  }

  @Test
  void isAMap() {
    for (int hashes : new int[] {1, 3, 50, 1_000_000}) {
      InodeIndex<Key> index = index(hashes);
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
          case 2 -> assertSame(expected.remove(number), index.remove(new Key(number, hashes)));
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
        assertSame(expected.get(number), index.get(new Key(number, hashes)));
      }
      for (long number = 0; number < 600; number++) {
        assertSame(expected.get(number), index.get(new Key(number, hashes)));
      }
      for (long number = 0; number < 600; number++) {
        index.remove(new Key(number, hashes));
        assertNull(index.get(new Key(number, hashes)));
      }
      assertEquals(0, index.size());
    }
  }
}
