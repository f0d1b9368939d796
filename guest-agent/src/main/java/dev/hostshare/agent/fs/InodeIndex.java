package dev.hostshare.agent.fs;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * Inodes by something that they say of themselves: open addressing with linear probing, 8 bytes an
 * inode where a {@link java.util.HashMap} with its keys takes 56. What an inode is found by must
 * not change while it is in. Not thread-safe.
 *
 * @param <K> what is looked for
 */
final class InodeIndex<K> {
  private static final int LEAST_SLOTS = 64;

  private final ToIntFunction<Inode> hashOf;
  private final Function<Inode, K> keyOf;
  private final BiPredicate<Inode, K> isFoundBy;

  /** A power of two, at the most two thirds of them used. */
  private Inode[] slots = new Inode[LEAST_SLOTS];

  private int size;

  /**
   * An index that is empty.
   *
   * @param keyOf what an inode is found by
   * @param hashOf its hash code, without making it
   * @param isFoundBy whether it equals another, without making it
   */
  InodeIndex(
      Function<Inode, K> keyOf, ToIntFunction<Inode> hashOf, BiPredicate<Inode, K> isFoundBy) {
    this.keyOf = keyOf;
    this.hashOf = hashOf;
    this.isFoundBy = isFoundBy;
  }

  Inode get(K key) {
    for (int i = start(key.hashCode()); slots[i] != null; i = next(i)) {
      if (isFoundBy.test(slots[i], key)) {
        return slots[i];
      }
    }
    return null;
  }

  /** Puts {@code inode} in, in the place of one that is found by the same. */
  void put(Inode inode) {
    int hash = hashOf.applyAsInt(inode);
    int i = start(hash);
    while (slots[i] != null) {
      // A key is made only where it may be the same: mostly there is none.
      if (hashOf.applyAsInt(slots[i]) == hash && isFoundBy.test(slots[i], keyOf.apply(inode))) {
        slots[i] = inode;
        return;
      }
      i = next(i);
    }
    slots[i] = inode;
    size++;
    if (3 * size > 2 * slots.length) {
      resize(2 * slots.length);
    }
  }

  /** Takes out what is found by {@code key}; null if nothing is. */
  Inode remove(K key) {
    Inode inode = get(key);
    if (inode != null) {
      remove(inode);
    }
    return inode;
  }

  /** Takes {@code inode} itself out, if it is in. */
  void remove(Inode inode) {
    for (int i = start(hashOf.applyAsInt(inode)); slots[i] != null; i = next(i)) {
      if (slots[i] == inode) {
        close(i);
        size--;
        if (size < slots.length / 6 && slots.length > LEAST_SLOTS) {
          resize(slots.length / 2);
        }
        return;
      }
    }
  }

  void clear() {
    slots = new Inode[LEAST_SLOTS];
    size = 0;
  }

  List<Inode> all() {
    List<Inode> all = new ArrayList<>(size);
    for (Inode inode : slots) {
      if (inode != null) {
        all.add(inode);
      }
    }
    return all;
  }

  int size() {
    return size;
  }

  /** Moves those after a gap up that would not be found behind it. */
  private void close(int gap) {
    int hole = gap;
    for (int i = next(hole); slots[i] != null; i = next(i)) {
      int wanted = start(hashOf.applyAsInt(slots[i]));
      boolean between = hole <= i ? hole < wanted && wanted <= i : hole < wanted || wanted <= i;
      if (!between) {
        slots[hole] = slots[i];
        hole = i;
      }
    }
    slots[hole] = null;
  }

  private void resize(int length) {
    Inode[] old = slots;
    slots = new Inode[length];
    for (Inode inode : old) {
      if (inode != null) {
        int i = start(hashOf.applyAsInt(inode));
        while (slots[i] != null) {
          i = next(i);
        }
        slots[i] = inode;
      }
    }
  }

  /** Fibonacci hashing: neighbours of a directory have neighbouring inode numbers. */
  private int start(int hash) {
    return (hash * 0x9E3779B9) >>> Integer.numberOfLeadingZeros(slots.length - 1);
  }

  private int next(int i) {
    return (i + 1) & (slots.length - 1);
  }
}
