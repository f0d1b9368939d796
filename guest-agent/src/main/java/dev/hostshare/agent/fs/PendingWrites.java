package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.remote.Call;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Writes to one file that were answered before the server has them: the program goes on while it
 * works. Small ones that come while others are on their way go together with the next request.
 * Whatever else is to be done with the file is done when the server has them all, close(2) and
 * fsync(2) too, and these tell of errors. A write of bytes that are on their way already waits as
 * well, so that the last one wins.
 *
 * <p>Thread-safe. What waits is run by the thread that ends the last write, with no lock held.
 * There is one for each file that was written and that the kernel knows, so that it is small while
 * nothing is pending: collections of its own would be 280 bytes more for each.
 */
final class PendingWrites {
  /** Of one file, in number and bytes; a session has a budget of bytes besides. */
  private static final int MAX_WRITES = 128;

  private static final int MAX_BYTES = 4 << 20;

  /** What is larger does not wait for company. */
  private static final int SMALL = 64 << 10;

  /** Of the small ones in one request. */
  private static final int MAX_BATCH = 256 << 10;

  /**
   * How far a write has got, for what is sent behind it: that is done after it if it was sent once
   * and is done. Without the data, which who follows it need not keep in memory.
   */
  static final class Delivery {
    private volatile Call call;
    private volatile boolean again;
    private volatile boolean done;

    /** It was sent. */
    void sentWith(Call sent) {
      call = sent;
    }

    /** It is about to be sent once more, or what is left of it: it was lost, or done in part. */
    void goesAgain() {
      again = true;
    }

    /** What it was sent with; null before that, and when it is done. */
    Call call() {
      return done ? null : call;
    }

    private void ends() {
      done = true;
      call = null;
    }

    /** Whether it was done by the only request that it was sent with. */
    boolean isDoneAtOnce() {
      return done && !again;
    }

    private boolean canBeFollowed() {
      return call != null && !again;
    }
  }

  /** A write that was answered. Equal only to itself. */
  static final class Write {
    final OpenFile file;
    final long offset;
    final ByteString data;
    final Delivery delivery = new Delivery();

    Write(OpenFile file, long offset, ByteString data) {
      this.file = file;
      this.offset = offset;
      this.data = data;
    }

    long end() {
      return offset + data.size();
    }

    boolean isSmall() {
      return data.size() <= SMALL;
    }

    private boolean overlaps(Write other) {
      return offset < other.end() && other.offset < end();
    }
  }

  /** What is under way, and who waits for it. */
  private static final class Queue {
    final List<Write> pending = new ArrayList<>();
    final ArrayDeque<Write> unsent = new ArrayDeque<>();
    final List<Runnable> waiting = new ArrayList<>(0);
    boolean smallOnTheirWay;
    long bytes;

    boolean takes(Write write) {
      return waiting.isEmpty()
          && pending.size() < MAX_WRITES
          && bytes + write.data.size() <= MAX_BYTES
          && pending.stream().noneMatch(write::overlaps);
    }
  }

  /** Null while nothing is pending. */
  private Queue queue;

  /** The furthest byte of any of them. */
  private long end;

  private int errors;
  private int lastError;

  /** Whether an fsync told the last error, if there is one. */
  private boolean lastIsSynced = true;

  private boolean isUsed;
  private long lastNanos;

  /** Takes a write in; false if it has to wait for others. */
  synchronized boolean begin(Write write) {
    if (queue == null) {
      queue = new Queue();
    } else if (!queue.takes(write)) {
      return false;
    }
    queue.pending.add(write);
    queue.unsent.add(write);
    queue.bytes += write.data.size();
    end = Math.max(end, write.end());
    isUsed = true;
    return true;
  }

  /**
   * What is to be sent now as one request, to one open file; empty if nothing is. To be called
   * until it is, after {@link #begin} and {@link #done}.
   */
  synchronized List<Write> next() {
    var batch = new ArrayList<Write>();
    int size = 0;
    while (queue != null && !queue.unsent.isEmpty()) {
      Write write = queue.unsent.peek();
      boolean alone = batch.isEmpty() && !write.isSmall();
      if (!alone
          && (queue.smallOnTheirWay
              || !write.isSmall()
              || size + write.data.size() > MAX_BATCH
              || (!batch.isEmpty() && batch.getFirst().file != write.file))) {
        break;
      }
      batch.add(queue.unsent.remove());
      size += write.data.size();
      if (alone) {
        return batch;
      }
    }
    if (!batch.isEmpty()) {
      queue.smallOnTheirWay = true;
    }
    return batch;
  }

  /** What {@link #next} gave out is with the server, or has failed. */
  void done(List<Write> batch) {
    List<Runnable> next = List.of();
    synchronized (this) {
      for (Write write : batch) {
        queue.pending.remove(write);
        write.delivery.ends();
        queue.bytes -= write.data.size();
      }
      if (batch.getFirst().isSmall()) {
        queue.smallOnTheirWay = false;
      }
      lastNanos = System.nanoTime();
      if (queue.pending.isEmpty()) {
        next = queue.waiting;
        queue = null;
      }
    }
    next.forEach(Runnable::run);
  }

  private List<Write> pending() {
    return queue == null ? List.of() : queue.pending;
  }

  /** One of them was answered, and failed. */
  synchronized void failed(int errno) {
    errors++;
    lastError = errno;
    lastIsSynced = false;
  }

  /** How many failed. */
  synchronized int errors() {
    return errors;
  }

  /** How many of them no fsync needs to tell any more, through a file that is opened now. */
  synchronized int errorsSynced() {
    return lastIsSynced ? errors : errors - 1;
  }

  synchronized int lastError() {
    return lastError;
  }

  /** The last error, for an fsync to tell. */
  synchronized int syncError() {
    lastIsSynced = true;
    return lastError;
  }

  /**
   * Adds those that are under way; false if one cannot be followed: it is unsent, or goes again.
   */
  synchronized boolean addSent(Collection<Delivery> sent) {
    for (Write write : pending()) {
      if (!write.delivery.canBeFollowed()) {
        return false;
      }
      sent.add(write.delivery);
    }
    return true;
  }

  /** Runs {@code then} when the server has them all; false if it has, and nothing is run. */
  synchronized boolean await(Runnable then) {
    return queue != null && queue.waiting.add(then);
  }

  /**
   * How long the file is at least, where a reply may have been made before the server had them all;
   * -1 if it was not.
   *
   * @param nanos when that reply was asked for
   */
  synchronized long sizeSince(long nanos) {
    return isUsed && (queue != null || lastNanos - nanos > 0) ? end : -1;
  }

  /** The file's size was set, or others changed it: it may be shorter than what was written. */
  synchronized void truncated() {
    end = pending().stream().mapToLong(Write::end).max().orElse(0);
  }
}
