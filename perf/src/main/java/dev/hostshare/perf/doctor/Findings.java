package dev.hostshare.perf.doctor;

import static dev.hostshare.perf.report.Table.figure;

import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableMap;
import dev.hostshare.perf.workload.Catalog;
import dev.hostshare.perf.workload.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** What an examination means, in plain words. */
public final class Findings {
  /** What a local disk of a small machine takes or gives: what people are used to. */
  private static final ImmutableMap<String, Double> USUAL =
      ImmutableMap.<String, Double>builder()
          .put("create", 30.0)
          .put("stat-cold", 10.0)
          .put("stat-warm", 2.0)
          .put("stat-later", 2.0)
          .put("stat-missing", 4.0)
          .put("open-cold", 80.0)
          .put("open-warm", 5.0)
          .put("unlink", 20.0)
          .put("seq-write", 400.0)
          .put("seq-read-cold", 1000.0)
          .put("seq-read-warm", 5000.0)
          .put("rand-write-fsync", 2000.0)
          .buildOrThrow();

  /** So many times as slow as usual is worth a word. */
  private static final double SLOW = 5;

  /** A kernel that answers by itself takes no longer, in microseconds. */
  private static final double KERNEL_ALONE = 6;

  /** What mount options do to speed. */
  private static final ImmutableMap<String, String> OPTIONS =
      ImmutableMap.of(
          "sync", "every write waits for the disk",
          "dirsync", "every change of a folder waits for the disk",
          "noac", "attributes are never kept, so that every stat is a round trip",
          "actimeo=0", "attributes are never kept, so that every stat is a round trip",
          "cache=none", "nothing is kept, so that every operation is a round trip",
          "directio", "file contents are never kept",
          "nolock", "locks hold on this machine only");

  private static final Splitter BY_COMMA = Splitter.onPattern("[,; ]+");

  private final Examination examination;

  public Findings(Examination examination) {
    this.examination = examination;
  }

  /** Paragraphs of lines. */
  public List<String> lines() {
    var lines = new ArrayList<String>();
    lines.add("mount: " + mount());
    options().forEach(lines::add);
    lines.add("");
    Examination.WORKLOADS.forEach(workload -> lines.add(measured(workload.id())));
    lines.add("");
    distance().ifPresentOrElse(lines::add, () -> {});
    lines.addAll(caches());
    lines.add("");
    lines.addAll(slow());
    lines.add("");
    lines.addAll(feelings());
    return lines;
  }

  private String mount() {
    var mount = examination.mount();
    return "%s on %s, mounted at %s (%s)"
        .formatted(mount.type(), mount.source(), mount.point(), mount.options());
  }

  private List<String> options() {
    return BY_COMMA
        .splitToStream(examination.mount().options())
        .filter(OPTIONS::containsKey)
        .distinct()
        .map(option -> "option %s: %s".formatted(option, OPTIONS.get(option)))
        .toList();
  }

  private String measured(String id) {
    var workload = Catalog.find(id).orElseThrow();
    OptionalDouble figure = examination.figure(id);
    return "%-32s %s"
        .formatted(
            workload.title(),
            figure.isPresent()
                ? figure(figure.getAsDouble()) + " " + workload.unit().symbol()
                : examination.reason(id).orElse("not measured"));
  }

  private Optional<String> distance() {
    OptionalDouble found = examination.figure("stat-missing");
    if (found.isEmpty()) {
      return Optional.empty();
    }
    double trip = found.getAsDouble();
    String words =
        trip < 10
            ? "the kernel answers by itself, as for a local disk"
            : trip < 60
                ? "another process of this machine answers"
                : trip < 1000
                    ? "another process answers, by a network or over the border of a virtual machine"
                    : "the answer comes from far away";
    return Optional.of("A round trip costs about %s µs: %s.".formatted(figure(trip), words));
  }

  private List<String> caches() {
    OptionalDouble warm = examination.figure("stat-warm");
    OptionalDouble later = examination.figure("stat-later");
    OptionalDouble trip = examination.figure("stat-missing");
    if (warm.isEmpty() || later.isEmpty() || trip.isEmpty()) {
      return List.of();
    }
    // A local kernel's round trip is as short as its cache's answer.
    double kept = Math.max(KERNEL_ALONE, trip.getAsDouble() / 4);
    if (warm.getAsDouble() > kept) {
      return List.of(
          "Names and attributes are not kept: every stat asks again, even of the same file.");
    }
    if (later.getAsDouble() > Math.max(KERNEL_ALONE, SLOW * warm.getAsDouble())) {
      return List.of(
          "Names and attributes are kept, but for no longer than 2 s: programs that look again later pay again.");
    }
    return List.of("Names and attributes are kept by the kernel: to look again costs nothing.");
  }

  private List<String> slow() {
    var lines = new ArrayList<String>();
    for (var workload : Examination.WORKLOADS) {
      OptionalDouble figure = examination.figure(workload.id());
      if (figure.isPresent()) {
        double speed = workload.unit().speed(figure.getAsDouble(), USUAL.get(workload.id()));
        if (speed < 1 / SLOW) {
          lines.add(
              "slow: %s takes %s times as long as on a usual local disk: %s"
                  .formatted(workload.title(), figure(1 / speed), workload.standsFor()));
        }
      }
    }
    List<String> without =
        Examination.WORKLOADS.stream()
            .filter(workload -> examination.figure(workload.id()).isEmpty())
            .map(Workload::title)
            .toList();
    if (without.size() == Examination.WORKLOADS.size()) {
      return List.of("Whether anything is slow is not known: nothing was measured.");
    }
    if (lines.isEmpty()) {
      lines.add(
          "%s slow: nothing takes %.0f times as long as on a usual local disk."
              .formatted(without.isEmpty() ? "Nothing is" : "Nothing that was measured is", SLOW));
    }
    if (!without.isEmpty()) {
      lines.add("Not known, since not measured: " + String.join("; ", without) + ".");
    }
    return lines;
  }

  private List<String> feelings() {
    var lines = new ArrayList<String>();
    feeling(lines, "git status in 10,000 files", "stat-later", 10_000);
    feeling(lines, "an npm install of 30,000 files", "create", 30_000);
    feeling(lines, "a first build that reads 5,000 files", "open-cold", 5_000);
    feeling(lines, "the same build again", "open-warm", 5_000);
    feeling(lines, "rm -r of 30,000 files", "unlink", 30_000);
    OptionalDouble write = examination.figure("seq-write");
    write.ifPresent(rate -> lines.add(line("copying 1 GiB to it", 1024 / rate)));
    OptionalDouble commits = examination.figure("rand-write-fsync");
    commits.ifPresent(
        rate -> lines.add("  a database: at most %s commits a second".formatted(figure(rate))));
    if (!lines.isEmpty()) {
      lines.addFirst("What that feels like, worked out from the figures:");
    }
    return lines;
  }

  private void feeling(List<String> lines, String what, String id, int operations) {
    examination.figure(id).ifPresent(micros -> lines.add(line(what, operations * micros / 1e6)));
  }

  private static String line(String what, double seconds) {
    String words =
        seconds < 0.3
            ? "at once"
            : seconds < 2 ? "a moment" : seconds < 10 ? "one waits" : "one goes for a coffee";
    return String.format(Locale.ROOT, "  %-38s %8s s: %s", what, figure(seconds), words);
  }
}
