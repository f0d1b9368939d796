package dev.hostshare.perf.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  @Test
  void theMedianIsTheMiddleOne() {
    assertEquals(2, Statistics.median(List.of(100.0, 1.0, 2.0)));
    assertEquals(2.5, Statistics.median(List.of(100.0, 3.0, 1.0, 2.0)));
    assertEquals(7, Statistics.median(List.of(7.0)));
    assertThrows(IllegalArgumentException.class, () -> Statistics.median(List.of()));
  }

  @Test
  void theSpreadIsHalfTheRange() {
    assertEquals(0.1, Statistics.spread(List.of(90.0, 100.0, 110.0)), 1e-9);
  }

  @Test
  void fewFiguresHaveTheConfidenceThatTheyHave() {
    var five = Statistics.interval(List.of(5.0, 1.0, 3.0, 2.0, 4.0));
    assertEquals(new Interval(3, 1, 5, 0.9375), five);
    assertEquals(0, Statistics.interval(List.of(3.0)).confidence());
    assertEquals(0.75, Statistics.interval(List.of(1.0, 2.0, 3.0)).confidence(), 1e-9);
  }

  @Test
  void moreFiguresMakeItNarrower() {
    // Tables of the sign test: for 20, from the sixth to the fifteenth, 95.86 %.
    var interval =
        Statistics.interval(IntStream.rangeClosed(1, 20).asDoubleStream().boxed().toList());
    assertEquals(6, interval.low());
    assertEquals(15, interval.high());
    assertEquals(0.9586, interval.confidence(), 1e-4);
  }

  @Test
  void theIntervalHoldsTheMedianAsOftenAsItSays() {
    var random = new Random(7);
    int held = 0;
    int trials = 4000;
    for (int i = 0; i < trials; i++) {
      // Skewed as latencies are; the true median is 1.
      var figures = DoubleStream.generate(() -> Math.exp(random.nextGaussian())).limit(9).boxed();
      held += excludesOne(Statistics.interval(figures.toList())) ? 0 : 1;
    }
    assertEquals(0.961, (double) held / trials, 0.015);
  }

  @Test
  void aRatioIsTheMedianOfTheRoundsOwnRatios() {
    // Round 2 met a busy machine, and so did the other.
    var ratio =
        Statistics.ratio(
            Unit.MICROSECONDS, List.of(200.0, 400.0, 210.0), List.of(1000.0, 2000.0, 1050.0));
    assertEquals(5.0, ratio.value());
    assertEquals(
        4.0,
        Statistics.ratio(
                Unit.MIB_PER_SECOND, List.of(900.0, 1000.0, 1100.0), List.of(300.0, 250.0, 275.0))
            .value());
  }

  @Test
  void differencesAreShownWhereTheyAre() {
    var slow = List.of(10.0, 11.0, 12.0, 13.0, 14.0);
    var fast = List.of(1.0, 2.0, 3.0, 4.0, 5.0);
    var test = RankTest.of(Unit.MICROSECONDS, fast, slow);
    // Two of the 252 ways to divide ten figures.
    assertEquals(2.0 / 252, test.probability(), 1e-9);
    assertTrue(test.ratio().value() > 1);
    assertTrue(test.ratio().low() > 1);
    // A table of critical values has U = 2 for five each: p = 0.0317.
    var nearly = List.of(1.0, 2.0, 3.0, 4.0, 11.5);
    assertEquals(0.0317, RankTest.of(Unit.MICROSECONDS, nearly, slow).probability(), 1e-4);
  }

  @Test
  void thereIsNoDifferenceBetweenTheSame() {
    var random = new Random(3);
    int shown = 0;
    int trials = 4000;
    for (int i = 0; i < trials; i++) {
      var a = figures(random);
      var b = figures(random);
      shown += RankTest.of(Unit.SECONDS, a, b).probability() < 0.05 ? 1 : 0;
    }
    assertTrue(shown < 0.06 * trials, shown + " of " + trials);
    assertTrue(shown > 0.02 * trials, shown + " of " + trials);
    var same = List.of(1.0, 1.0, 1.0, 1.0, 1.0);
    assertEquals(1, RankTest.of(Unit.SECONDS, same, same).probability());
    assertFalse(excludesOne(RankTest.of(Unit.SECONDS, same, same).ratio()));
  }

  private static boolean excludesOne(Interval interval) {
    return interval.low() > 1 || interval.high() < 1;
  }

  private static List<Double> figures(Random random) {
    var figures = new ArrayList<Double>();
    for (int i = 0; i < 8; i++) {
      figures.add(Math.exp(random.nextGaussian()));
    }
    return figures;
  }
}
