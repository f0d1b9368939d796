package dev.hostshare.perf.compare;

import dev.hostshare.perf.mount.Bindfs;
import dev.hostshare.perf.mount.HostShare;
import dev.hostshare.perf.mount.PlainFolder;
import dev.hostshare.perf.mount.Sshfs;
import dev.hostshare.perf.mount.Target;
import dev.hostshare.perf.sys.Command;
import dev.hostshare.perf.work.Work;
import dev.hostshare.perf.work.Works;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code compare}. */
@CommandLine.Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description =
        "Measures hostshare beside other file systems over the same disk: medians over the rounds,"
            + " and how many times as fast hostshare is, with the goal for that. Takes root.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:measured, whatever the figures are",
      "1:it failed; the reason is on standard error",
      "2:wrong arguments"
    })
public final class CompareCommand implements Callable<Integer> {
  private static final String HOSTSHARE = "hostshare";
  private static final int MIB = 1 << 20;
  private static final int PER_FOLDER = 100;

  /** Which works to choose from. */
  enum Suite {
    calls,
    apps,
    database,
    all;

    List<Work> works() {
      return switch (this) {
        case calls -> Works.CALLS;
        case apps -> Works.APPLICATIONS;
        case database -> Works.DATABASE;
        case all -> Stream.concat(Works.CALLS.stream(), Works.APPLICATIONS.stream()).toList();
      };
    }
  }

  @Spec private CommandSpec spec;

  @Option(names = "--rounds", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
  private int rounds = 5;

  @Option(
      names = "--fresh-processes",
      description =
          "Cold: right after the processes were started, the first command on a fresh mount. Without"
              + " it they do the same work on other files first, until they get no faster, and only the"
              + " caches are cold.")
  private boolean freshProcesses;

  @Option(
      names = "--suite",
      paramLabel = "NAME",
      description =
          "calls (default): single operations; apps: programs; all: both; database: PostgreSQL, on"
              + " targets whose files can be given to its user, so not sshfs.")
  private Suite suite = Suite.calls;

  @Option(
      names = "--only",
      paramLabel = "WORK",
      split = ",",
      description = "Only these: create, stat-cold, stat-warm ...; all by default.")
  private List<String> only = new ArrayList<>();

  @Option(
      names = "--targets",
      paramLabel = "NAME",
      split = ",",
      defaultValue = "hostshare,sshfs,bindfs,ext4",
      description = "Default: ${DEFAULT-VALUE}. ext4 is the disk itself, whatever it is.")
  private List<String> targets = new ArrayList<>();

  @Option(
      names = "--hostshare",
      paramLabel = "[NAME=]PREFIX",
      description =
          "An installation or a built work tree to measure instead of this one. Repeatable: each"
              + " is a target, compared with those before it, too.")
  private List<String> prefixes = new ArrayList<>();

  @Option(
      names = "--files",
      paramLabel = "N",
      description = "Small files, a multiple of 100. Default: ${DEFAULT-VALUE}.")
  private int files = 4000;

  @Option(
      names = "--size",
      paramLabel = "N[M|G]",
      description = "Of the big file. Default: ${DEFAULT-VALUE}.")
  private String size = "512M";

  @Option(
      names = "--dir",
      paramLabel = "DIR",
      description = "Makes its work folder in here, on the disk to measure. Default: /var/tmp.")
  private Path dir = Path.of("/var/tmp");

  @Option(names = "--json", paramLabel = "FILE", description = "Also write every figure there.")
  private Path json;

  @Option(names = "--markdown", paramLabel = "FILE", description = "Also write the table there.")
  private Path markdown;

  /** Runs the program; answers its exit code. */
  public static int run(String... args) {
    return new CommandLine(new CompareCommand())
        .setOverwrittenOptionsAllowed(true)
        .setExecutionExceptionHandler(
            (e, line, parsed) -> {
              if (!(e instanceof IOException)) {
                throw e;
              }
              line.getErr().println("compare: " + e.getMessage());
              return CommandLine.ExitCode.SOFTWARE;
            })
        .execute(args);
  }

  @Override
  public Integer call() throws IOException {
    Map<String, Path> builds = targets.contains(HOSTSHARE) ? builds() : Map.of();
    List<String> names =
        targets.stream()
            .flatMap(t -> t.equals(HOSTSHARE) ? builds.keySet().stream() : Stream.of(t))
            .toList();
    var plan =
        new Plan(
            names, List.copyOf(builds.keySet()), works(), rounds, files(), bytes(), freshProcesses);
    check(rounds > 0, "--rounds must be positive");
    check(names.stream().distinct().count() == names.size(), "a target is named twice");
    PrintWriter err = spec.commandLine().getErr();
    try (var folder = WorkFolder.make(dir)) {
      var made = new ArrayList<Target>();
      try {
        for (String name : names) {
          made.add(make(name, builds, folder.newFolder(name)));
        }
        Results results =
            new Comparison(plan, folder.path(), said -> err.println("compare: " + said)).run(made);
        report(plan, results, about(made));
      } finally {
        // The interrupt has done its work: what follows must be able to wait.
        boolean _ = Thread.interrupted();
        close(made.reversed());
      }
    }
    return CommandLine.ExitCode.OK;
  }

  private Map<String, Path> builds() {
    var builds = new LinkedHashMap<String, Path>();
    for (String argument : prefixes) {
      int equals = argument.indexOf('=');
      String name = equals < 0 ? HOSTSHARE : argument.substring(0, equals);
      check(name.matches("[A-Za-z0-9._-]+"), "not a name: " + name);
      Path prefix = Path.of(argument.substring(equals + 1)).toAbsolutePath().normalize();
      check(builds.put(name, prefix) == null, "two installations are named " + name);
    }
    if (builds.isEmpty()) {
      String launcher = System.getProperty("hostshare.launcher");
      check(launcher != null, "--hostshare is missing");
      builds.put(HOSTSHARE, Path.of(launcher).getParent().getParent());
    }
    return builds;
  }

  private List<Work> works() {
    List<String> ids = suite.works().stream().map(Work::id).toList();
    check(ids.containsAll(only), "--only: there are " + String.join(", ", ids));
    return suite.works().stream().filter(w -> only.isEmpty() || only.contains(w.id())).toList();
  }

  private int files() {
    check(files > 0 && files % PER_FOLDER == 0, "--files must be a multiple of " + PER_FOLDER);
    return files;
  }

  private long bytes() {
    check(size.matches("[1-9][0-9]{0,8}[MG]"), "--size: a number of M or G");
    long number = Long.parseLong(size.substring(0, size.length() - 1));
    return number * MIB * (size.endsWith("G") ? 1024 : 1);
  }

  private void check(boolean condition, String otherwise) {
    if (!condition) {
      throw new ParameterException(spec.commandLine(), otherwise);
    }
  }

  private Target make(String name, Map<String, Path> builds, Path folder) throws IOException {
    if (builds.containsKey(name)) {
      return new HostShare(name, builds.get(name), folder);
    }
    return switch (name) {
      case "ext4" -> PlainFolder.make(name, folder);
      case "bindfs" -> new Bindfs(folder);
      case "sshfs" -> new Sshfs(folder);
      default -> throw new ParameterException(spec.commandLine(), "no such target: " + name);
    };
  }

  /** All of them, whatever happens to one. */
  private static void close(List<Target> targets) throws IOException {
    IOException first = null;
    for (Target target : targets) {
      try {
        target.close();
      } catch (IOException e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw first;
    }
  }

  private static Map<String, String> about(List<Target> targets) throws IOException {
    var about = new LinkedHashMap<String, String>();
    about.put("measured", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    about.put("kernel", System.getProperty("os.version"));
    about.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
    for (Target target : targets) {
      about.put(target.name(), target.version());
    }
    return about;
  }

  private void report(Plan plan, Results results, Map<String, String> about) throws IOException {
    Table table = Table.of(plan, results);
    String head =
        "Medians over %d round(s); %,d files of 4 KiB in folders of 100, then a file of %s; for programs a source tree of %,d files, a large tree of %,d, a repository of %,d."
            .formatted(rounds, files, size, plan.sources(), plan.found(), plan.tracked());
    String legend =
        "a / b: how many times as fast a is as b, the median over the rounds, and the goal.";
    PrintWriter out = spec.commandLine().getOut();
    about.forEach((what, value) -> out.println(what + ": " + value));
    out.printf("%n%s%n%s%n%n%s", head, legend, table.toText());
    out.flush();
    if (markdown != null) {
      String facts =
          about.entrySet().stream()
              .map(fact -> "- " + fact.getKey() + ": " + fact.getValue() + "\n")
              .collect(Collectors.joining());
      Files.writeString(markdown, head + " " + legend + "\n\n" + table.toMarkdown() + "\n" + facts);
    }
    if (json != null) {
      Files.writeString(json, new Json(plan, results).write(about));
    }
  }

  /** The folder that everything is in; removed at the end. */
  private record WorkFolder(Path path) implements AutoCloseable {
    static WorkFolder make(Path parent) throws IOException {
      Path made = Files.createTempDirectory(parent.toRealPath(), "hostshare-compare");
      // The server's user must be able to enter it.
      return new WorkFolder(
          Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxr-xr-x")));
    }

    Path newFolder(String name) throws IOException {
      return Files.createDirectory(path.resolve(name));
    }

    @Override
    public void close() throws IOException {
      Command.runRegardless("rm", "-rf", "--one-file-system", path.toString());
    }
  }
}
