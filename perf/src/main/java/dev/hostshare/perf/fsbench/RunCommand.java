package dev.hostshare.perf.fsbench;

import dev.hostshare.perf.report.HtmlFile;
import dev.hostshare.perf.report.JsonFile;
import dev.hostshare.perf.report.Report;
import dev.hostshare.perf.report.Table;
import dev.hostshare.perf.run.Plan;
import dev.hostshare.perf.run.Practice;
import dev.hostshare.perf.run.TargetSpec;
import dev.hostshare.perf.workload.Catalog;
import dev.hostshare.perf.workload.Scale;
import dev.hostshare.perf.workload.Suite;
import dev.hostshare.perf.workload.Workload;
import dev.hostshare.perf.workload.Workload.Trait;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code fsbench run}. */
@CommandLine.Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description = {
      "Measures folders with the same work, in turn, round by round: medians, their spread, and how"
          + " many times as fast each is as the first.",
      "In each folder one folder of its own is made, and removed in the end."
    })
final class RunCommand implements Callable<Integer> {

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--target",
      paramLabel = "NAME=DIR[,peer=DIR_B][,cold=COMMAND]",
      description = {
        "A folder to measure; repeatable. The first one is what the others are compared with.",
        "cold=: run by sh, makes the target's caches cold, by a remount for example. Without it, root"
            + " drops the caches of this machine's kernel.",
        "peer=: the same folder seen from elsewhere, for the visible-... workloads."
      })
  private List<String> targets = new ArrayList<>();

  @Option(
      names = "--suite",
      paramLabel = "quick|standard|developer|WORKLOAD",
      split = ",",
      description = "Which workloads: suites, or single ones. Default: quick.")
  private List<String> suites = List.of("quick");

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Default: the suite's. Intervals of 95 %% take six, compare takes five.")
  private Integer rounds;

  @Option(
      names = "--size",
      paramLabel = "N[M|G]",
      description = {
        "Of the big file; the number of files follows it. Default: the suite's.",
        "512M go with 4,000 small files and a folder of 100,000."
      })
  private String size;

  @Option(
      names = "--files",
      paramLabel = "N",
      description = "Small files, a multiple of 100, instead of what follows from --size.")
  private Integer files;

  @Option(
      names = "--rate",
      paramLabel = "N",
      description =
          "Operations per second, for workloads that can have a rate: latencies are then those of"
              + " somebody who does not wait for the last answer before asking again.")
  private Double rate;

  @Option(
      names = "--practice",
      paramLabel = "none|once|settle",
      description = {
        "What is done on other files before each counted run.",
        "settle: the same until it gets no faster, for targets that were just started;"
            + " none: nothing before a cold run. Default: once."
      })
  private Practice practice = Practice.ONCE;

  @Option(
      names = "--scratch",
      paramLabel = "DIR",
      description =
          "Where archives and repositories are made that programs read from. Default: ${DEFAULT-VALUE}.")
  private Path scratch = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(names = "--json", paramLabel = "FILE", description = "Also write all figures there.")
  private Path json;

  @Option(names = "--html", paramLabel = "FILE", description = "Also write a page with charts.")
  private Path html;

  @Override
  public Integer call() throws IOException {
    Measurement measured = Measurement.of(plan());
    Report report = measured.report();
    print(report);
    if (json != null) {
      JsonFile.write(report, json);
    }
    if (html != null) {
      HtmlFile.write(report, html);
    }
    return measured.exitCode();
  }

  private Plan plan() {
    check(!targets.isEmpty(), "--target is missing: --target NAME=DIR");
    List<TargetSpec> specs = new ArrayList<>();
    for (String target : targets) {
      try {
        specs.add(TargetSpec.parse(target));
      } catch (IllegalArgumentException e) {
        throw wrong(e.getMessage());
      }
    }
    check(
        specs.stream().map(TargetSpec::name).distinct().count() == specs.size(),
        "two targets have the same name");
    Set<Workload> chosen = workloads(specs.stream().anyMatch(s -> s.peer().isPresent()));
    check(rounds == null || rounds > 0, "--rounds must be positive: " + rounds);
    check(rate == null || rate > 0, "--rate must be positive: " + rate);
    check(
        rate == null || chosen.stream().anyMatch(w -> w.is(Trait.PACED)),
        "--rate: none of these workloads can have a rate; fsbench list says which can");
    check(
        specs.stream().anyMatch(s -> s.peer().isPresent())
            || !chosen.stream().allMatch(w -> w.is(Trait.PEER)),
        "these workloads need the same folder seen from elsewhere: --target NAME=DIR,peer=DIR_B");
    check(Files.isDirectory(scratch), "--scratch: there is no folder " + scratch);
    checkWritable("--json", json);
    checkWritable("--html", html);
    Suite leading = leading();
    return new Plan(
        specs,
        String.join(",", suites),
        List.copyOf(chosen),
        rounds == null ? leading.rounds() : rounds,
        scale(leading),
        rate == null ? OptionalDouble.empty() : OptionalDouble.of(rate),
        practice,
        scratch.toAbsolutePath());
  }

  private void checkWritable(String option, Path file) {
    if (file != null) {
      Path folder = file.toAbsolutePath().getParent();
      check(Files.isDirectory(folder), "%s: there is no folder %s".formatted(option, folder));
      check(Files.isWritable(folder), "%s: %s cannot be written".formatted(option, folder));
      check(!Files.isDirectory(file), "%s: %s is a folder".formatted(option, file));
    }
  }

  private static Optional<Suite> suite(String name) {
    return Arrays.stream(Suite.values()).filter(s -> s.name().equalsIgnoreCase(name)).findFirst();
  }

  /**
   * In the catalog's order, however they were named. Of suites, those that can be done with these
   * targets.
   */
  private Set<Workload> workloads(boolean hasPeer) {
    var named = new LinkedHashSet<Workload>();
    for (String name : suites) {
      suite(name)
          .ifPresentOrElse(
              suite ->
                  Catalog.of(suite).stream()
                      .filter(w -> hasPeer || !w.is(Trait.PEER))
                      .forEach(named::add),
              () -> named.add(Catalog.find(name).orElseThrow(() -> unknown(name))));
    }
    return Catalog.ALL.stream()
        .filter(named::contains)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private CommandLine.ParameterException unknown(String name) {
    return wrong(
        "--suite: there is no suite and no workload %s; suites are %s; fsbench list explains the workloads"
            .formatted(
                name,
                Arrays.stream(Suite.values())
                    .map(suite -> suite.name().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(", "))));
  }

  /** Single workloads are measured as the standard suite's are. */
  private Suite leading() {
    return suites.stream()
        .map(RunCommand::suite)
        .flatMap(Optional::stream)
        .findFirst()
        .orElse(Suite.STANDARD);
  }

  private Scale scale(Suite leading) {
    try {
      Scale bySize = Scale.ofSize(size == null ? leading.size() : bytes());
      return files == null ? bySize : Scale.of(bySize.size(), files);
    } catch (IllegalArgumentException e) {
      throw wrong("--size, --files: " + e.getMessage());
    }
  }

  private long bytes() {
    check(
        size.matches("[1-9][0-9]{0,6}[MG]"),
        "--size %s: it must be a number of M or G".formatted(size));
    long number = Long.parseLong(size.substring(0, size.length() - 1));
    return number << (size.endsWith("G") ? 30 : 20);
  }

  private void check(boolean condition, String otherwise) {
    if (!condition) {
      throw wrong(otherwise);
    }
  }

  private CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  private void print(Report report) {
    PrintWriter out = spec.commandLine().getOut();
    new Summary(report).lines().forEach(out::println);
    out.println();
    out.print(Table.ofFigures(report).toText());
    out.println();
    out.print(Table.ofLatencies(report).toText());
    out.flush();
    PrintWriter err = spec.commandLine().getErr();
    Table.remarks(report).forEach(remark -> err.println("fsbench: " + remark));
  }
}
