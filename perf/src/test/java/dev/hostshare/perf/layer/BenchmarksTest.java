package dev.hostshare.perf.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs. What it says after 20 ms is of no use. */
final class BenchmarksTest {
  @Test
  void runs() throws Exception {
    System.setProperty("jmh.ignoreLock", "true"); // nobody trusts these figures
    var results =
        new Runner(
                new OptionsBuilder()
                    .forks(0)
                    .warmupIterations(0)
                    .measurementIterations(1)
                    .measurementTime(TimeValue.milliseconds(20))
                    .shouldFailOnError(true)
                    .verbosity(VerboseMode.SILENT)
                    .build())
            .run();
    Set<String> layers =
        results.stream()
            .map(result -> result.getParams().getBenchmark().replaceFirst("\\.[^.]*$", ""))
            .map(name -> name.substring(name.lastIndexOf('.') + 1))
            .collect(Collectors.toSet());
    assertEquals(
        Set.of(
            "WireBenchmark",
            "HostBenchmark",
            "OverlayBenchmark",
            "RoundTripBenchmark",
            "RepliesBenchmark"),
        layers);
    for (RunResult result : results) {
      assertTrue(result.getPrimaryResult().getScore() > 0, result.getParams().getBenchmark());
    }
  }
}
