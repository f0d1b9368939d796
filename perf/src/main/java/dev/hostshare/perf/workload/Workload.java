package dev.hostshare.perf.workload;

import com.google.common.collect.ImmutableSet;
import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.measure.Unit;
import java.io.IOException;
import java.util.function.Function;

/**
 * One line of the catalog, and one row of a table.
 *
 * @param id what the command line calls it
 * @param title for tables
 * @param standsFor which everyday work depends on it
 * @param unit of its figure
 * @param start the state in which the counted run finds the caches
 * @param suites which it is in
 * @param traits what can be asked of it
 * @param footprint the files that it keeps
 * @param material what it keeps in the scratch folder, beside the targets
 * @param prepare makes what the run needs and is not there yet; not counted
 * @param run does the work once; the stopwatch counts
 * @param check reads back what the run has written; not counted
 */
public record Workload(
    String id,
    String title,
    String standsFor,
    Unit unit,
    Start start,
    ImmutableSet<Suite> suites,
    ImmutableSet<Trait> traits,
    Function<Scale, Footprint> footprint,
    Function<Scale, Footprint> material,
    Step prepare,
    Measured run,
    Step check) {

  /** The state in which the counted run finds the caches. */
  public enum Start {
    /** Nothing is cached. */
    COLD,
    /** The same work has just been done once. */
    WARM,
    /** As what came before has left them: for work that changes files. */
    AS_IT_IS
  }

  /** What can be asked of a workload. */
  public enum Trait {
    /** Its operations can be given a rate. */
    PACED,
    /** It is not done on other files first: it takes long, and gains nothing from that. */
    UNPRACTISED,
    /** It needs the same folder seen from elsewhere. */
    PEER
  }

  /** A step that is not counted. */
  @FunctionalInterface
  public interface Step {
    void in(Place place) throws IOException;
  }

  /** The run. */
  @FunctionalInterface
  public interface Measured {
    void in(Place place, Stopwatch watch) throws IOException;
  }

  public boolean is(Trait trait) {
    return traits.contains(trait);
  }

  /** Whether it is done on other files, too, before it counts. */
  public boolean canBePractised() {
    return !is(Trait.UNPRACTISED) && !is(Trait.PEER);
  }

  /** Collects what a workload is made of; the rest has the usual value. */
  static Builder named(String id, String title) {
    return new Builder(id, title);
  }

  /** See {@link #named}. */
  static final class Builder {
    private final String id;
    private final String title;
    private String standsFor = "";
    private Unit unit = Unit.MICROSECONDS;
    private Start start = Start.AS_IT_IS;
    private ImmutableSet<Suite> suites = ImmutableSet.of(Suite.STANDARD);
    private ImmutableSet<Trait> traits = ImmutableSet.of();
    private Function<Scale, Footprint> footprint = scale -> Footprint.NONE;
    private Function<Scale, Footprint> material = scale -> Footprint.NONE;
    private Step prepare = place -> {};
    private Step check = place -> {};

    private Builder(String id, String title) {
      this.id = id;
      this.title = title;
    }

    Builder standsFor(String text) {
      standsFor = text;
      return this;
    }

    Builder in(Unit newUnit) {
      unit = newUnit;
      return this;
    }

    Builder cold() {
      start = Start.COLD;
      return this;
    }

    Builder warm() {
      start = Start.WARM;
      return this;
    }

    /** Also in the quick suite. */
    Builder quick() {
      suites = ImmutableSet.of(Suite.QUICK, Suite.STANDARD);
      return this;
    }

    Builder developer() {
      suites = ImmutableSet.of(Suite.DEVELOPER);
      return with(Trait.UNPRACTISED);
    }

    Builder with(Trait trait) {
      traits = ImmutableSet.<Trait>builder().addAll(traits).add(trait).build();
      return this;
    }

    Builder keeps(Function<Scale, Footprint> newFootprint) {
      footprint = newFootprint;
      return this;
    }

    Builder worksOn(Function<Scale, Footprint> newMaterial) {
      material = newMaterial;
      return this;
    }

    Builder prepare(Step step) {
      prepare = step;
      return this;
    }

    Builder check(Step step) {
      check = step;
      return this;
    }

    Workload run(Measured run) {
      return new Workload(
          id, title, standsFor, unit, start, suites, traits, footprint, material, prepare, run,
          check);
    }
  }
}
