package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * PostgreSQL with its data folder on the mount: it insists on owning the folder, on mode 0700, on
 * fsync that means it, and on locks. This is what fails on vboxsf, and why the project exists.
 */
@SystemTest
class PostgresTest {
  private static final Duration LIMIT = Duration.ofMinutes(3);

  /** Functions for the guest's shell. $data: the data folder. */
  private static final String FUNCTIONS =
      """
      bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
      as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
      start() { as_postgres $bin/pg_ctl -D $data -w -t 120 -l $data/log -o "-k /run/postgresql -c listen_addresses=" start; }
      stop() { as_postgres $bin/pg_ctl -D $data -w -t 120 -m $1 stop; }
      sql() { as_postgres $bin/psql -h /run/postgresql -X -A -t -v ON_ERROR_STOP=1 -c "$1" postgres; }
      bench() { as_postgres $bin/pgbench -h /run/postgresql "$@" postgres; }
      """;

  /** pgbench adds each delta to a branch, a teller and an account, in one transaction. */
  private static final String BALANCES =
      "select count(*) || ' ' || (sum(delta) = (select sum(abalance) from pgbench_accounts)"
          + " and sum(delta) = (select sum(bbalance) from pgbench_branches)) from pgbench_history";

  @Test
  @Timeout(900)
  void databaseLivesOnTheMount() throws IOException {
    try (var lab = Lab.start()) {
      var data = "data=" + lab.mnt() + "/pg\n";
      var guest = lab.guest();
      guest.shell("chown postgres:postgres /run/postgresql");

      guest.shell(
          LIMIT,
          data
              + FUNCTIONS
              + """
              mkdir $data
              chown postgres:postgres $data
              chmod 700 $data
              as_postgres $bin/initdb -D $data --data-checksums -A trust -E UTF8 --locale=C
              start
              bench -i -s 4 -q
              bench -n -c 4 -t 200
              """);
      assertEquals("800 true", guest.shell(LIMIT, data + FUNCTIONS + "sql \"" + BALANCES + "\""));

      // A crash in the middle of the work, and recovery from the log.
      guest.shell(
          LIMIT,
          data
              + FUNCTIONS
              + """
              bench -n -c 4 -T 600 >/run/bench.log 2>&1 &
              until [ $(sql "select count(*) from pgbench_history") -gt 900 ]; do :; done
              stop immediate
              ! wait $!
              start
              grep -q 'automatic recovery in progress' $data/log
              """);
      var recovered = guest.shell(LIMIT, data + FUNCTIONS + "sql \"" + BALANCES + "\"");
      assertTrue(recovered.endsWith(" true"), recovered);

      guest.shell(LIMIT, data + FUNCTIONS + "stop fast; as_postgres $bin/pg_checksums -c -D $data");
      lab.restartEverything();
      guest.shell(LIMIT, data + FUNCTIONS + "start; bench -n -c 4 -t 50");
      var again = guest.shell(LIMIT, data + FUNCTIONS + "sql \"" + BALANCES + "\"");
      assertTrue(again.endsWith(" true"), again);
      guest.shell(LIMIT, data + FUNCTIONS + "stop fast; as_postgres $bin/pg_checksums -c -D $data");
      assertEquals("postgres 700", guest.shell("stat -c '%U %a' " + lab.mnt() + "/pg"));
    }
  }

  /** As the official image does it: the container's root gives the volume to postgres. */
  @Test
  @Timeout(900)
  void databaseRunsInAContainer() throws IOException {
    try (var lab = Lab.start();
        var engine = DockerEngine.start(lab.guest())) {
      lab.guest()
          .shell("mkdir " + lab.mnt() + "/volume; tar -cT /dev/null | docker import - empty");
      var script =
          "data=/var/lib/postgresql/data\n"
              + FUNCTIONS
              + """
              set -euo pipefail
              mkdir -p $data
              chown -R postgres:postgres $data /run/postgresql
              chmod 700 $data
              [ -s $data/PG_VERSION ] || as_postgres $bin/initdb -D $data -A trust --locale=C >/dev/null
              start >/dev/null
              sql 'create table if not exists runs (at timestamptz default now())' 2>/dev/null >&2
              sql 'insert into runs default values' >/dev/null
              sql 'select count(*) from runs'
              stop fast >/dev/null
              """;
      for (int run = 1; run <= 2; run++) {
        assertEquals(
            Integer.toString(run),
            engine.run(
                "-v",
                lab.mnt() + "/volume:/var/lib/postgresql",
                "-v",
                "/usr:/usr:ro",
                "-v",
                "/etc:/etc:ro",
                "-v",
                "/usr/bin:/bin:ro",
                "-v",
                "/usr/lib:/lib:ro",
                "-v",
                "/usr/lib64:/lib64:ro",
                "--tmpfs",
                "/run/postgresql:mode=777",
                "--tmpfs",
                "/tmp",
                "empty",
                "/usr/bin/bash",
                "-c",
                script));
      }
    }
  }
}
