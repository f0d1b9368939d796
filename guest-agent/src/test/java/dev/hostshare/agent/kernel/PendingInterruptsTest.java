package dev.hostshare.agent.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class PendingInterruptsTest {
  private final PendingInterrupts pending = new PendingInterrupts();

  @Test
  void reachesARequestThatIsWaiting() {
    var cancelled = new AtomicInteger();
    FuseRequest request = request(2);
    pending.begun(request);
    request.waitsFor(cancelled::incrementAndGet);

    pending.interrupt(2);

    assertEquals(1, cancelled.get());
  }

  @Test
  void reachesARequestThatIsReadAfterIt() {
    var cancelled = new AtomicInteger();
    pending.interrupt(2);
    FuseRequest request = request(2);
    pending.begun(request);
    request.waitsFor(cancelled::incrementAndGet);
    assertEquals(1, cancelled.get());
  }

  @Test
  void reachesEveryCallOfARequestThatGoesOn() {
    var cancelled = new AtomicInteger();
    FuseRequest request = request(2);
    pending.begun(request);
    pending.interrupt(2);
    request.waitsFor(cancelled::incrementAndGet);
    request.waitsFor(cancelled::incrementAndGet);
    assertEquals(2, cancelled.get());
  }

  @Test
  void isNotLostInARaceWithTheReadingOfItsRequest() throws Exception {
    for (long unique = 2; unique < 4000; unique += 2) {
      long id = unique;
      var cancelled = new CountDownLatch(1);
      var interrupter = new Thread(() -> pending.interrupt(id));
      interrupter.start();
      FuseRequest request = request(id);
      pending.begun(request);
      request.waitsFor(cancelled::countDown);
      interrupter.join();
      assertEquals(0, cancelled.getCount(), "the interrupt of " + id + " was lost");
      pending.finished(id);
    }
    assertTrue(pending.size() == 0);
  }

  private FuseRequest request(long unique) {
    return new FuseRequest(null, pending, unique, FuseAbi.SETLKW, 1, null);
  }
}
