package dev.hostshare.fileserver.overlay;

import com.google.common.hash.BloomFilter;
import com.google.common.hash.Funnels;
import java.util.concurrent.locks.StampedLock;

/**
 * A set of 64-bit hashes: open addressing with linear probing, 8 bytes a slot, at most 2/3 full. It
 * answers "has this file a record?" without a query; boxed longs would take five times the memory.
 *
 * <p>When its bound is reached, a Bloom filter of the same size takes its place for good: that errs
 * on yes for one in a hundred where there are nine times as many values, and for what was removed.
 *
 * <p>Thread-safe: readers are optimistic, writers exclusive.
 */
final class LongSet {
  private static final int FIRST_CAPACITY = 1024;

  /** With 9.6 bits for each value a Bloom filter errs for 1 %. */
  private static final int VALUES_PER_64_BITS = 6;

  private final int maxCapacity;
  private final StampedLock lock = new StampedLock();
  private long[] slots = new long[FIRST_CAPACITY];
  private int size;
  private boolean hasZero;

  /** Null while the slots have it all. */
  private volatile BloomFilter<Long> filter;

  /** A set that takes at most {@code maxBytes}, and for a moment twice that as it is reached. */
  LongSet(long maxBytes) {
    maxCapacity = Math.clamp(Long.highestOneBit(maxBytes / 8), FIRST_CAPACITY, 1 << 30);
  }

  /** Whether this value is in the set: no is certain, yes as long as the bound is not reached. */
  boolean mayContain(long value) {
    long stamp = lock.tryOptimisticRead();
    if (stamp != 0) {
      boolean found = find(value);
      if (lock.validate(stamp)) {
        return found;
      }
    }
    stamp = lock.readLock();
    try {
      return find(value);
    } finally {
      lock.unlockRead(stamp);
    }
  }

  private boolean find(long value) {
    BloomFilter<Long> beyond = filter;
    if (beyond != null) {
      return beyond.mightContain(value);
    }
    if (value == 0) {
      return hasZero;
    }
    long[] in = slots;
    int mask = in.length - 1;
    // Bounded, since a racing writer may show an optimistic reader a full table.
    for (int i = (int) value & mask, n = in.length; n > 0; i = (i + 1) & mask, n--) {
      if (in[i] == value) {
        return true;
      }
      if (in[i] == 0) {
        return false;
      }
    }
    return false;
  }

  void add(long value) {
    long stamp = lock.writeLock();
    try {
      if (filter == null && size >= slots.length / 3 * 2) {
        if (slots.length < maxCapacity) {
          grow();
        } else {
          becomeFilter();
        }
      }
      if (filter != null) {
        filter.put(value);
      } else if (value == 0) {
        hasZero = true;
      } else {
        insert(value);
      }
    } finally {
      lock.unlockWrite(stamp);
    }
  }

  private void grow() {
    long[] old = slots;
    slots = new long[old.length * 2];
    size = 0;
    for (long v : old) {
      if (v != 0) {
        insert(v);
      }
    }
  }

  private void becomeFilter() {
    BloomFilter<Long> all =
        BloomFilter.create(Funnels.longFunnel(), (long) maxCapacity * VALUES_PER_64_BITS, 0.01);
    for (long v : slots) {
      if (v != 0) {
        all.put(v);
      }
    }
    if (hasZero) {
      all.put(0L);
    }
    filter = all;
    slots = new long[0];
  }

  private void insert(long value) {
    int mask = slots.length - 1;
    int i = (int) value & mask;
    while (slots[i] != 0) {
      if (slots[i] == value) {
        return;
      }
      i = (i + 1) & mask;
    }
    slots[i] = value;
    size++;
  }

  void remove(long value) {
    long stamp = lock.writeLock();
    try {
      if (filter != null) {
        return;
      }
      if (value == 0) {
        hasZero = false;
        return;
      }
      int mask = slots.length - 1;
      int i = (int) value & mask;
      while (slots[i] != value) {
        if (slots[i] == 0) {
          return;
        }
        i = (i + 1) & mask;
      }
      // Knuth's algorithm R (TAOCP 6.4): move later members of the run into the hole.
      int hole = i;
      for (int j = (i + 1) & mask; slots[j] != 0; j = (j + 1) & mask) {
        int home = (int) slots[j] & mask;
        if (((j - home) & mask) >= ((j - hole) & mask)) {
          slots[hole] = slots[j];
          hole = j;
        }
      }
      slots[hole] = 0;
      size--;
    } finally {
      lock.unlockWrite(stamp);
    }
  }
}
