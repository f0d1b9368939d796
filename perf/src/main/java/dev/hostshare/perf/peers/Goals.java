package dev.hostshare.perf.peers;

import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import java.util.OptionalDouble;

/** How many times as fast as each peer hostshare should be, at the least. */
final class Goals {
  private static final double NONE = 0;

  private record Row(double sshfs, double bindfs, double ext4) {}

  private static final ImmutableMap<String, Row> ROWS =
      ImmutableMap.<String, Row>builder()
          .put("create", new Row(4, 1, NONE))
          .put("stat-cold", new Row(5, 2, NONE))
          .put("stat-warm", new Row(NONE, NONE, 1 / 1.3))
          .put("list-cold", new Row(6, 6, 1 / 1.2))
          .put("list-warm", new Row(NONE, NONE, 1 / 1.5))
          .put("open-cold", new Row(5, 1.5, NONE))
          .put("open-warm", new Row(6, 2.5, NONE))
          .put("chmod", new Row(4, 0.5, NONE))
          .put("rename", new Row(4, 1, NONE))
          .put("unlink", new Row(4, 1, NONE))
          .put("seq-write", new Row(1.8, 5, 0.90))
          .put("seq-read-cold", new Row(4, 2, 0.85))
          .put("seq-read-warm", new Row(NONE, NONE, 0.80))
          .put("rand-read-cold", new Row(3, 0.9, 0.80))
          .put("rand-write", new Row(4, 10, 0.60))
          .put("rand-write-fsync", new Row(2, 1, 0.60))
          .put("untar", new Row(4, NONE, NONE))
          .put("rm", new Row(4, NONE, NONE))
          .put("find-cold", new Row(NONE, NONE, 0.5))
          .put("git-status", new Row(NONE, NONE, 1 / 1.5))
          .put("pgbench", new Row(NONE, NONE, 0.60))
          .buildOrThrow();

  private Goals() {}

  /** The workloads that have goals. */
  static ImmutableSet<String> workloads() {
    return ROWS.keySet();
  }

  /** The goal for a work beside a peer, if there is one. */
  static OptionalDouble of(String work, String peer) {
    Row row = ROWS.getOrDefault(work, new Row(NONE, NONE, NONE));
    double goal =
        switch (peer) {
          case "sshfs" -> row.sshfs;
          case "bindfs" -> row.bindfs;
          case "ext4" -> row.ext4;
          default -> NONE;
        };
    return goal == NONE ? OptionalDouble.empty() : OptionalDouble.of(goal);
  }
}
