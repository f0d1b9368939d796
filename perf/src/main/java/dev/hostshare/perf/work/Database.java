package dev.hostshare.perf.work;

import dev.hostshare.perf.sys.Command;
import java.io.IOException;
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
final class Database {
  /** Debian's place. */
  private static final Path INSTALLED = Path.of("/usr/lib/postgresql");

  private static final String USER = "postgres";

  /** 100,000 rows each: 15 MiB. */
  private static final int SCALE = 5;

  private static final int CLIENTS = 4;
  private static final int SECONDS = 8;
  private static final Pattern RATE = Pattern.compile("tps = ([0-9.]+)");

  private final Path data;

  Database(Path folder) {
    data = folder.resolve("database");
  }

  void ensure() throws IOException {
    if (Files.exists(data)) {
      return;
    }
    Files.createDirectories(data);
    Command.run("chown", USER + ":", data.toString());
    Command.run("chmod", "700", data.toString());
    engine("initdb", "-D", data.toString(), "-A", "trust");
    Path socket = start();
    try {
      engine("pgbench", "-h", socket.toString(), "-q", "-i", "-s", "" + SCALE, USER);
    } finally {
      stop(socket);
    }
  }

  /** Transactions per second. */
  double run() throws IOException {
    Path socket = start();
    String said;
    try {
      said =
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
    } finally {
      stop(socket);
    }
    Matcher rate = RATE.matcher(said);
    if (!rate.find()) {
      throw new IOException("pgbench did not say a rate: " + said);
    }
    return Double.parseDouble(rate.group(1));
  }

  private Path start() throws IOException {
    Path socket = Files.createTempDirectory("hostshare-perf");
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
    } catch (IOException e) {
      String said = Files.exists(log) ? Files.readString(log) : "";
      delete(socket);
      throw new IOException("%s: %s".formatted(e.getMessage(), said), e);
    }
    return socket;
  }

  private void stop(Path socket) throws IOException {
    engine("pg_ctl", "-D", data.toString(), "-w", "-m", "fast", "stop");
    delete(socket);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> left = Files.walk(folder)) {
      for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static String engine(String program, String... arguments) throws IOException {
    List<String> line =
        new ArrayList<>(List.of("setpriv", "--reuid=" + USER, "--regid=" + USER, "--init-groups"));
    line.addAll(List.of("--", programs().resolve(program).toString()));
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
                .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
                .sorted()
                .toList();
        if (!found.isEmpty()) {
          return found.getLast();
        }
      }
    }
    throw new IOException("PostgreSQL is not installed: `apt-get install postgresql`");
  }
}
