package dev.hostshare.perf.run;

import dev.hostshare.perf.workload.Scale;

/** What is done on other files before a counted run. */
public enum Practice {
  /** Nothing that a cold target could learn from: the first command on a fresh mount. */
  NONE(8, 200, 500),
  /** A short run. */
  ONCE(8, 200, 500),
  /**
   * The same work until it gets no faster: for targets whose programs were just started and have a
   * compiler to wait for.
   */
  SETTLE(64, 2000, 2000);

  private final int mib;
  private final int files;
  private final int crowd;

  Practice(int mib, int files, int crowd) {
    this.mib = mib;
    this.files = files;
    this.crowd = crowd;
  }

  /** At most so many other files. */
  Scale scale() {
    return new Scale((long) mib * Scale.MIB, files, crowd);
  }
}
