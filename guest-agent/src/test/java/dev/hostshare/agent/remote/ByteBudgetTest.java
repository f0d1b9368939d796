package dev.hostshare.agent.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ByteBudgetTest {
  private final ByteBudget budget = new ByteBudget(() -> 100);
  private final AtomicInteger told = new AtomicInteger();

  @Test
  void whoCannotWaitIsLetThroughAndToldWhenThereIsRoomAgain() {
    budget.acquire(70, false);
    assertTrue(budget.hasRoom());
    budget.acquire(70, false);
    assertFalse(budget.hasRoom());
    assertFalse(budget.awaitRoom(told::incrementAndGet), "not much too much yet");
    budget.acquire(80, false);
    assertEquals(220, budget.used());
    assertTrue(budget.awaitRoom(told::incrementAndGet));

    budget.release(10);
    assertEquals(0, told.get(), "210 of 200 are still out");
    budget.release(50);
    assertEquals(1, told.get());
    budget.release(160);
    assertEquals(1, told.get(), "told once");
    assertTrue(budget.hasRoom());
  }

  @Test
  void nobodyWaitsWhileItIsNotOpen() {
    budget.acquire(200, false);
    assertTrue(budget.awaitRoom(told::incrementAndGet));
    budget.open(false);
    assertEquals(1, told.get());
    assertFalse(budget.awaitRoom(told::incrementAndGet));
    budget.acquire(100, true);
  }
}
