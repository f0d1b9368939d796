package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.measure.Unit;
import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Transactions of one row each by the sqlite3 program, with its defaults: each waits for the disk.
 */
final class Sqlite {
  private static final int TRANSACTIONS = 200;

  private final Path database;

  private Sqlite(Place place) {
    database = place.folder().resolve("sqlite.db");
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        Workload.named("sqlite", "SQLite, transactions of one row")
            .standsFor("applications with an embedded database")
            .in(Unit.TRANSACTIONS_PER_SECOND)
            .developer()
            .keeps(_ -> new Footprint("sqlite", 1 << 20, 3))
            .prepare(p -> at(p).make())
            .check(p -> at(p).check())
            .run((p, watch) -> at(p).run(watch)));
  }

  private static Sqlite at(Place place) throws UnavailableException {
    Installed.need("sqlite3");
    return place.keep(Sqlite.class, "sqlite", Sqlite::new);
  }

  private void make() throws IOException {
    Files.deleteIfExists(database);
    Files.deleteIfExists(Path.of(database + "-journal"));
    ask("CREATE TABLE t (id INTEGER PRIMARY KEY, number INTEGER, text TEXT)");
  }

  private String ask(String question) throws IOException {
    return Command.run("sqlite3", "-batch", "-bail", database.toString(), question);
  }

  private void run(Stopwatch watch) throws IOException {
    var script = new StringBuilder();
    for (int i = 1; i <= TRANSACTIONS; i++) {
      script
          .append("BEGIN IMMEDIATE; INSERT INTO t (number, text) VALUES (")
          .append(i)
          .append(", 'row'); COMMIT;\n");
    }
    long begin = watch.begin();
    ask(script.toString());
    watch.end(begin, TRANSACTIONS, 0);
  }

  private void check() throws IOException {
    String said = ask("PRAGMA integrity_check; SELECT count(*), sum(number) FROM t");
    String expected = "ok\n%d|%d".formatted(TRANSACTIONS, TRANSACTIONS * (TRANSACTIONS + 1) / 2);
    if (!said.equals(expected)) {
      throw new WrongDataException("SQLite says %s of %s".formatted(said, database));
    }
  }
}
