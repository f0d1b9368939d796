package dev.hostshare.agent.fs;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Inodes by something that they say of themselves: open addressing with linear probing, 8 bytes an
 * inode where a {@link java.util.HashMap} with its keys takes 56. What an inode is found by must
 * not change while it is in. Not thread-safe.
 *
 * @param <K> what is looked for
 */
abstract class InodeIndex<K> {
  private static final int LEAST_SLOTS = 64;

  /** A power of two, at the most two thirds of them used. */
  private Inode[] slots = new Inode[LEAST_SLOTS];

  private int size;

  /** The hash of what {@code inode} is found by; any int will do. */
  abstract int hashOf(Inode inode);

  abstract int hash(K key);

  abstract boolean matches(Inode inode, K key);

  /** Whether both are found by the same. */
  abstract boolean same(Inode one, Inode other);

  final Inode get(K key) {
    for (int i = start(hash(key)); slots[i] != null; i = next(i)) {
      if (matches(slots[i], key)) {
        return slots[i];
      }
    }
    return null;
  }

  /** Puts {@code inode} in, in the place of one that is found by the same. */
  final void put(Inode inode) {
    Objects.requireNonNull(inode);
    int i = start(hashOf(inode));
    while (slots[i] != null) {
      if (same(slots[i], inode)) {
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
  final Inode remove(K key) {
    Inode inode = get(key);
    if (inode != null) {
      remove(inode);
    }
    return inode;
  }

  /** Takes {@code inode} itself out, if it is in. */
  final void remove(Inode inode) {
    for (int i = start(hashOf(inode)); slots[i] != null; i = next(i)) {
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

  final void clear() {
    slots = new Inode[LEAST_SLOTS];
    size = 0;
  }

  final List<Inode> all() {
    List<Inode> all = new ArrayList<>(size);
    for (Inode inode : slots) {
      if (inode != null) {
        all.add(inode);
      }
    }
    return all;
  }

  final int size() {
    return size;
  }

  /** Moves those after a gap up that would not be found behind it. */
  private void close(int gap) {
    int hole = gap;
    for (int i = next(hole); slots[i] != null; i = next(i)) {
      int wanted = start(hashOf(slots[i]));
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
        int i = start(hashOf(inode));
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
