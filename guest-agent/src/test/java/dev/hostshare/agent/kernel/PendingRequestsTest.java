package dev.hostshare.agent.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class PendingRequestsTest {
  private final PendingRequests pending = new PendingRequests();

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
  void leavesOthersAlone() {
    var cancelled = new AtomicInteger();
    FuseRequest request = request(2);
    pending.begun(request);
    request.waitsFor(cancelled::incrementAndGet);

    pending.interrupt(4);
    pending.finished(2);
    pending.interrupt(2);

    assertEquals(0, cancelled.get());
    assertEquals(0, pending.size());
  }

  private FuseRequest request(long unique) {
    return new FuseRequest(null, pending, unique, FuseAbi.SETLKW, 1, null, 0);
  }
}
