package dev.hostshare.perf.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  @Test
  void theMedianIsTheMiddleOne() {
    assertEquals(2, Statistics.median(List.of(100.0, 1.0, 2.0)));
  }

  @Test
  void theMedianOfAnEvenNumberIsBetweenTheTwoInTheMiddle() {
    assertEquals(2.5, Statistics.median(List.of(100.0, 3.0, 1.0, 2.0)));
  }

  @Test
  void theMedianOfOneIsItself() {
    assertEquals(7, Statistics.median(List.of(7.0)));
  }

  @Test
  void nothingHasNoMedian() {
    assertThrows(IllegalArgumentException.class, () -> Statistics.median(List.of()));
  }
}
