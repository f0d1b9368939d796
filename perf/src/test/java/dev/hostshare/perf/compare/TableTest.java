package dev.hostshare.perf.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.perf.work.Work;
import dev.hostshare.perf.work.Works;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TableTest {
  private static final Work CREATE = work("create");
  private static final Work READ = work("seq-read-cold");

  private static Work work(String id) {
    return Works.CALLS.stream().filter(w -> w.id().equals(id)).findFirst().orElseThrow();
  }

  private static Plan plan(List<String> targets, List<String> builds) {
    return new Plan(targets, builds, List.of(CREATE, READ), 3, 4000, 1 << 29, false);
  }

  /** Round 2 of sshfs met a busy machine, and so did hostshare. */
  private static Results results() {
    var results = new Results();
    for (double figure : List.of(200.0, 400.0, 210.0)) {
      results.add(CREATE, "hostshare", figure);
    }
    for (double figure : List.of(1000.0, 2000.0, 1050.0)) {
      results.add(CREATE, "sshfs", figure);
    }
    for (double figure : List.of(900.0, 1000.0, 1100.0)) {
      results.add(READ, "hostshare", figure);
    }
    for (double figure : List.of(300.0, 250.0, 275.0)) {
      results.add(READ, "sshfs", figure);
    }
    return results;
  }

  @Test
  void aRatioIsTheMedianOfTheRoundsOwnRatios() {
    assertEquals(5.0, results().speed(CREATE, "hostshare", "sshfs"));
    // A rate: more is faster. 3, 4 and 4 times.
    assertEquals(4.0, results().speed(READ, "hostshare", "sshfs"));
  }

  @Test
  void saysWhatIsMet() {
    var table = Table.of(plan(List.of("hostshare", "sshfs"), List.of("hostshare")), results());
    assertEquals(
        """
        work                     unit  hostshare  sshfs  hostshare / sshfs
        create + write + close     µs        210  1,050     5.00x met 4.00
        sequential read, cold   MiB/s      1,000    275     4.00x met 4.00
        """,
        table.toText());
  }

  @Test
  void saysWhatIsNotMet() {
    var results = results();
    for (int round = 0; round < 3; round++) {
      results.add(CREATE, "bindfs", 150);
      results.add(READ, "bindfs", 400);
    }
    var table = Table.of(plan(List.of("hostshare", "bindfs"), List.of("hostshare")), results);
    assertEquals("0.71x NOT MET 1.00", table.rows().getFirst().getLast());
    assertEquals("2.50x met 2.00", table.rows().getLast().getLast());
  }

  @Test
  void comparesBuildsWithoutAGoal() {
    var results = results();
    for (int round = 0; round < 3; round++) {
      results.add(CREATE, "new", 100);
      results.add(READ, "new", 1000);
    }
    var plan = plan(List.of("hostshare", "new"), List.of("hostshare", "new"));
    assertEquals(
        "2.10x", Table.of(plan, results).rows().getFirst().getLast(), plan.pairs().toString());
  }

  @Test
  void writesMarkdown() {
    var plan = plan(List.of("hostshare", "sshfs"), List.of("hostshare"));
    assertEquals(
        """
        | work | unit | hostshare | sshfs | hostshare / sshfs |
        |---|---|---|---|---|
        | create + write + close | µs | 210 | 1,050 | 5.00x met 4.00 |
        """,
        String.join("\n", Table.of(plan, results()).toMarkdown().lines().limit(3).toList()) + "\n");
  }

  @Test
  void showsThreeDigits() {
    assertEquals("1.60", Table.figure(1.6));
    assertEquals("26.0", Table.figure(26.04));
    assertEquals("100", Table.figure(99.97));
    assertEquals("13,950", Table.figure(13_950.4));
  }

  @Test
  void everyGoalBelongsToAWork() {
    // Given a misspelt id, some work would have no goal at all.
    for (var work : Works.CALLS) {
      assertTrue(
          List.of("sshfs", "bindfs", "ext4").stream()
              .anyMatch(peer -> Goals.of(work.id(), peer).isPresent()),
          work.id());
    }
  }

  @Test
  void jsonHasEveryFigure() {
    var plan = plan(List.of("hostshare", "sshfs"), List.of("hostshare"));
    var json = new Json(plan, results()).write(Map.of("ext4", "a \"quoted\" word"));
    assertTrue(json.contains("\"figures\": {\"hostshare\": [200.0, 400.0, 210.0],"), json);
    assertTrue(
        json.contains(
            "{\"of\": \"hostshare\", \"to\": \"sshfs\", \"speed\": 5.0, \"goal\": 4.0, \"met\": true}"),
        json);
    assertTrue(json.contains("{\"ext4\": \"a \\\"quoted\\\" word\"}"), json);
  }
}
