package dev.hostshare.agent.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.testing.KernelCacheRecorder;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.Entry;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TrimmerTest {
  private static final int LIMIT = 1000;

  private volatile int limit = LIMIT;
  private final InodeTable table = new InodeTable(entry(0), 1);
  private final Notifier notifier = new Notifier();
  private final Trimmer trimmer = new Trimmer(table, notifier, () -> limit);
  private final KernelCacheRecorder kernel = new KernelCacheRecorder();

  @BeforeEach
  void attach() {
    notifier.attach(kernel);
  }

  @AfterEach
  void close() {
    notifier.close();
  }

  private static Entry entry(int i) {
    return Entry.newBuilder()
        .setNode(i + 1)
        .setAttr(Attr.newBuilder().setVolume(1).setIno(i + 1).setBtime(1))
        .build();
  }

  private void fill(int from, int to) throws ErrnoException {
    for (int i = from; i < to; i++) {
      table.enter(entry(i), 1, table.root(), ByteString.copyFromUtf8("f" + i));
      trimmer.check();
    }
  }

  @Test
  void theOldestGoWhenThereAreTooMany() throws Exception {
    fill(1, LIMIT);
    assertEquals(LIMIT, table.size());
    assertNull(kernel.pruned.poll(50, TimeUnit.MILLISECONDS), "there is room");
    fill(LIMIT, LIMIT + 1);
    long[] ids = kernel.pruned.poll(10, TimeUnit.SECONDS);
    assertTrue(ids.length >= LIMIT / 20, "pruned: " + ids.length);
    for (int i = 0; i < ids.length; i++) {
      assertEquals(InodeTable.ROOT_ID + 1 + i, ids[i]);
    }
    assertTrue(kernel.told.isEmpty());
  }

  @Test
  void theLimitMayChange() throws Exception {
    limit = 100;
    fill(1, 100);
    assertNull(kernel.pruned.poll(50, TimeUnit.MILLISECONDS));
    fill(100, 101);
    assertTrue(kernel.pruned.poll(10, TimeUnit.SECONDS).length >= 5);
  }

  @Test
  void whoCannotDropAnythingIsFullAtSomePoint() throws Exception {
    kernel.refuseToDrop();
    fill(1, LIMIT + 1);
    assertEquals("unused", kernel.next());
    notifier.later(() -> kernel.told.add("after it"));
    assertEquals("after it", kernel.next());
    assertFalse(trimmer.isFull());
    fill(LIMIT + 1, LIMIT + LIMIT / 5 + 2);
    assertTrue(trimmer.isFull());
    assertNull(kernel.told.poll(50, TimeUnit.MILLISECONDS), "asked once");
  }

  /** A kernel that does what it is asked to, and can drop nothing since all is in use. */
  @Test
  void whereAllIsInUseItIsFullAtHalfAsManyAgain() throws Exception {
    fill(1, LIMIT + LIMIT / 2);
    assertFalse(trimmer.isFull());
    fill(LIMIT + LIMIT / 2, LIMIT + LIMIT / 2 + 1);
    assertTrue(trimmer.isFull());
  }

  @Test
  void olderKernelsDropAllThatIsUnused() throws Exception {
    kernel.refusePrune();
    fill(1, LIMIT + 1);
    assertEquals("unused", kernel.next());
    fill(LIMIT + 1, LIMIT + 100);
    assertNull(kernel.told.poll(50, TimeUnit.MILLISECONDS), "not all the time");
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    for (int i = LIMIT + 100; kernel.told.isEmpty() && System.nanoTime() < deadline; i++) {
      fill(i, i + 1); // until a second is over
    }
    assertEquals("unused", kernel.told.poll(), "far too many");
  }
}
