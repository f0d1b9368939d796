package dev.hostshare.proto.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.base.Joiner;
import com.google.common.base.Splitter;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Read;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class PollingLoopTest {
  private static final Path SELF = Path.of("/proc/thread-self");

  private final PollingLoop polling = new PollingLoop();
  private MultiThreadIoEventLoopGroup loops;
  private EventLoop loop;
  private List<Integer> all;
  private List<Integer> two;

  /** A loop that may use two processors, whatever the machine has. */
  @BeforeEach
  void start() throws Exception {
    all = allowed(SELF);
    assumeTrue(all.size() >= 2, "two processors");
    two = all.subList(0, 2);
    // A thread has what the one has that starts it.
    restrict(two);
    loops = new MultiThreadIoEventLoopGroup(1, polling.handlers());
    loop = loops.next();
  }

  @AfterEach
  void end() throws Exception {
    if (loops != null) {
      restrict(all);
      assertTrue(loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).await(10, TimeUnit.SECONDS));
    }
  }

  @Test
  void keepsToItsProcessorWhileItHasMoreToDo() throws Exception {
    polling.besideAgent();
    talkUntil(two.subList(1, 2));

    List<Integer> after;
    do { // until it has slept for long enough
      after = loop.schedule(() -> allowed(SELF), 20, TimeUnit.MILLISECONDS).get();
    } while (!after.equals(two));
    talkUntil(two.subList(1, 2));
  }

  @Test
  void theAgentsIsTheOther() throws Exception {
    polling.besideServer();
    talkUntil(two.subList(0, 1));
  }

  @Test
  void largeFramesSetItFree() throws Exception {
    polling.besideAgent();
    talkUntil(two.subList(1, 2));

    var large = ClientFrame.newBuilder().setRead(Read.newBuilder().setSize(1 << 20)).build();
    int free = 0;
    for (int i = 0; i < 1_000; i++) {
      PollingLoop.passes(large);
      free += loop.submit(() -> allowed(SELF)).get().equals(two) ? 1 : 0;
    }

    // This thread may wait for a processor after each, as long as a large frame counts.
    assertTrue(free > 900, free + " of 1,000 times");
    talkUntil(two.subList(1, 2));
  }

  @Test
  void keepsToNoneWithoutTheOtherEnd() throws Exception {
    for (int i = 0; i < 1_000; i++) {
      assertEquals(two, loop.submit(() -> allowed(SELF)).get());
    }
  }

  @Test
  void leavesAloneWhatWasSetMeanwhile() throws Exception {
    Processor processor = new Processor(0);
    assertTrue(processor.keep());
    assertTrue(processor.isKept());
    assertEquals(two.subList(0, 1), allowed(SELF));
    restrict(two.subList(1, 2));

    processor.free();

    assertFalse(processor.isKept());
    assertEquals(two.subList(1, 2), allowed(SELF));
    assertFalse(processor.keep(), "one is not two");
  }

  /** Gives the loop one task after the other until it may use just these processors. */
  private void talkUntil(List<Integer> processors) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (true) {
      List<Integer> now = loop.submit(() -> allowed(SELF)).get();
      if (now.equals(processors)) {
        return;
      }
      assertTrue(System.nanoTime() < deadline, "may still use " + now);
    }
  }

  /** Cpus_allowed_list, proc(5), such as 0-3,8. */
  private static List<Integer> allowed(Path thread) throws IOException {
    String list =
        Files.readAllLines(thread.resolve("status")).stream()
            .filter(line -> line.startsWith("Cpus_allowed_list:"))
            .map(line -> line.substring(line.indexOf('\t') + 1))
            .findFirst()
            .orElseThrow();
    List<Integer> processors = new ArrayList<>();
    for (String range : Splitter.on(',').split(list)) {
      List<String> ends = Splitter.on('-').splitToList(range);
      int last = Integer.parseInt(ends.getLast());
      for (int i = Integer.parseInt(ends.getFirst()); i <= last; i++) {
        processors.add(i);
      }
    }
    return processors;
  }

  /** Sets what the calling thread may use. */
  private static void restrict(List<Integer> processors) throws Exception {
    Process taskset =
        new ProcessBuilder(
                "taskset",
                "-cp",
                Joiner.on(',').join(processors),
                SELF.toRealPath().getFileName().toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertEquals(0, taskset.waitFor(), "taskset (util-linux)");
  }
}
