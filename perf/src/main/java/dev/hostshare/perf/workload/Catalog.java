package dev.hostshare.perf.workload;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Every workload there is, in the order in which they are done. */
public final class Catalog {
  /** See {@link Catalog}. */
  public static final ImmutableList<Workload> ALL =
      Stream.of(
              SmallFiles.workloads(),
              Trees.workloads(),
              Crowd.workloads(),
              BigFile.workloads(),
              Appending.workloads(),
              Locking.workloads(),
              Concurrent.workloads(),
              Visibility.workloads(),
              Programs.workloads(),
              Git.workloads(),
              Modules.workloads(),
              Sqlite.workloads(),
              Postgres.workloads(),
              Build.workloads())
          .flatMap(List::stream)
          .collect(ImmutableList.toImmutableList());

  private Catalog() {}

  /** The workload that the command line calls this. */
  public static Optional<Workload> find(String id) {
    return ALL.stream().filter(workload -> workload.id().equals(id)).findFirst();
  }

  /** Those of a suite. */
  public static List<Workload> of(Suite suite) {
    return ALL.stream().filter(workload -> workload.suites().contains(suite)).toList();
  }
}
