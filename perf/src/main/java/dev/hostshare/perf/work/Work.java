package dev.hostshare.perf.work;

import java.io.IOException;

/**
 * One row of the table.
 *
 * @param id what the command line calls it
 * @param start what goes before the counted run
 * @param prepare makes what the run needs and is not there yet; not counted
 * @param run does the work once; answers the figure in {@code unit}
 */
public record Work(
    String id, String title, Unit unit, Start start, Preparation prepare, Measured run) {

  /** The state in which the counted run finds the caches. */
  public enum Start {
    /** Nothing is cached, and what serves the place has just been started. */
    COLD,
    /** The same work has just been done once. */
    WARM,
    /** As what came before has left them: for work that changes files. */
    AS_IT_IS
  }

  /** The step before a run. */
  @FunctionalInterface
  public interface Preparation {
    void in(Place place) throws IOException;
  }

  /** The run. */
  @FunctionalInterface
  public interface Measured {
    double in(Place place) throws IOException;
  }
}
