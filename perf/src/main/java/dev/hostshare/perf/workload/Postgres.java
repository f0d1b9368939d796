package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.measure.Unit;
import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * PostgreSQL with its files in a folder: pgbench's transactions, four clients at once, each commit
 * on the disk. The engine runs as its own user, whose the folder is.
 */
final class Postgres implements Place.Running {
  /** Debian's place. */
  private static final Path INSTALLED = Path.of("/usr/lib/postgresql");

  private static final String USER = "postgres";

  /** 100,000 rows each: 15 MiB. */
  private static final int SCALE = 5;

  private static final int CLIENTS = 4;
  private static final int SECONDS = 8;
  private static final Pattern RATE = Pattern.compile("tps = ([0-9.]+)");

  /** What pgbench does to accounts, tellers and branches must add up to what it noted. */
  private static final String SUMS =
      "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history)"
          + " AND (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history)";

  private final Path data;
  private Path socket;
  private boolean isThere;

  private Postgres(Place place) {
    data = place.folder().resolve("database");
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        Workload.named("pgbench", "PostgreSQL, pgbench with 4 clients")
            .standsFor("a database server on a shared folder")
            .in(Unit.TRANSACTIONS_PER_SECOND)
            .developer()
            .keeps(_ -> new Footprint("database", 400L << 20, 3000))
            .prepare(p -> at(p).ensure())
            .run((p, watch) -> at(p).run(watch)));
  }

  private static Postgres at(Place place) {
    return place.keep(Postgres.class, "postgres", Postgres::new);
  }

  private void ensure() throws IOException {
    if (isThere) {
      return;
    }
    programs();
    if (!"root".equals(System.getProperty("user.name"))) {
      throw new UnavailableException("needs root, to run the engine as the user " + USER);
    }
    Files.createDirectories(data);
    giveAway();
    engine("initdb", "-D", data.toString(), "-A", "trust");
    start();
    try {
      engine("pgbench", "-h", socket.toString(), "-q", "-i", "-s", "" + SCALE, USER);
    } finally {
      end();
    }
    isThere = true;
  }

  private void giveAway() throws IOException {
    try {
      Command.run("chown", USER + ":", data.toString());
      Command.run("chmod", "700", data.toString());
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw new UnavailableException(
          "the folder cannot be given to the user %s: %s".formatted(USER, e.getMessage()));
    }
    try {
      Command.run(asUser("test", "-w", data.toString()));
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw new UnavailableException("the user %s cannot write in %s".formatted(USER, data));
    }
  }

  private void run(Stopwatch watch) throws IOException {
    start();
    try {
      String said =
          engine(
              "pgbench",
              "-h",
              socket.toString(),
              "-c",
              "" + CLIENTS,
              "-T",
              "" + SECONDS,
              "-n",
              USER);
      Matcher rate = RATE.matcher(said);
      if (!rate.find()) {
        throw new IOException("pgbench did not say a rate: " + said);
      }
      watch.tell(Double.parseDouble(rate.group(1)));
      String sums = engine("psql", "-h", socket.toString(), "-XAtc", SUMS, USER);
      if (!sums.equals("t")) {
        throw new WrongDataException("pgbench's sums do not add up in " + data);
      }
    } finally {
      end();
    }
  }

  private void start() throws IOException {
    socket = Files.createTempDirectory("fsbench");
    Command.run("chown", USER + ":", socket.toString());
    Path log = socket.resolve("log");
    try {
      engine(
          "pg_ctl",
          "-D",
          data.toString(),
          "-w",
          "-l",
          log.toString(),
          "-o",
          "-k " + socket + " -c listen_addresses=",
          "start");
    } catch (InterruptedIOException e) {
      end();
      throw e;
    } catch (IOException e) {
      String said = Files.exists(log) ? Files.readString(log) : "";
      end();
      throw new IOException("%s: %s".formatted(e.getMessage(), said), e);
    }
  }

  /** Also after an interrupt: nobody else would end it. */
  @Override
  public void end() throws IOException {
    if (socket == null) {
      return;
    }
    Path old = socket;
    socket = null;
    try {
      if (Files.exists(data.resolve("postmaster.pid"))) {
        Command.runRegardless(
            asUser(program("pg_ctl"), "-D", data.toString(), "-w", "-m", "fast", "stop")
                .toArray(String[]::new));
      }
    } finally {
      delete(old);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> left = Files.walk(folder)) {
      for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }

  private static List<String> asUser(String... line) {
    List<String> whole =
        new ArrayList<>(
            List.of("setpriv", "--reuid=" + USER, "--regid=" + USER, "--init-groups", "--"));
    whole.addAll(Arrays.asList(line));
    return whole;
  }

  private static String program(String name) throws IOException {
    return programs().resolve(name).toString();
  }

  private static String engine(String program, String... arguments) throws IOException {
    List<String> line = asUser(program(program));
    line.addAll(Arrays.asList(arguments));
    // It must not stay in a folder that its user may not enter.
    return Command.run(new ProcessBuilder(line).directory(Path.of("/").toFile()));
  }

  private static Path programs() throws IOException {
    if (Files.isDirectory(INSTALLED)) {
      try (Stream<Path> versions = Files.list(INSTALLED)) {
        List<Path> found =
            versions
                .map(version -> version.resolve("bin"))
                .filter(bin -> Files.isExecutable(bin.resolve("pgbench")))
                .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
                .sorted()
                .toList();
        if (!found.isEmpty()) {
          return found.getLast();
        }
      }
    }
    throw new UnavailableException("PostgreSQL is not installed");
  }
}
