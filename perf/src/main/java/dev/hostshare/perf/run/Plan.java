package dev.hostshare.perf.run;

import dev.hostshare.perf.workload.Scale;
import dev.hostshare.perf.workload.Workload;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What is to be done.
 *
 * @param suite how the report calls the workloads
 * @param rate operations per second, for workloads that can have one
 * @param scratch where the folder of what programs read from is made; on no target
 */
public record Plan(
    List<TargetSpec> targets,
    String suite,
    List<Workload> workloads,
    int rounds,
    Scale scale,
    OptionalDouble rate,
    Practice practice,
    Path scratch) {}
