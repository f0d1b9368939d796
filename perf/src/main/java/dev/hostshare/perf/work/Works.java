package dev.hostshare.perf.work;

import static dev.hostshare.perf.work.Unit.MIB_PER_SECOND;
import static dev.hostshare.perf.work.Unit.MICROSECONDS;
import static dev.hostshare.perf.work.Unit.OPERATIONS_PER_SECOND;
import static dev.hostshare.perf.work.Unit.SECONDS;
import static dev.hostshare.perf.work.Unit.TRANSACTIONS_PER_SECOND;
import static dev.hostshare.perf.work.Work.Start.AS_IT_IS;
import static dev.hostshare.perf.work.Work.Start.COLD;
import static dev.hostshare.perf.work.Work.Start.WARM;

import java.util.List;

/** Every work there is, in the order in which they are done. */
public final class Works {
  /** Single operations, each of which can be done again and again and takes as long each time. */
  public static final List<Work> CALLS =
      List.of(
          new Work(
              "create",
              "create + write + close",
              MICROSECONDS,
              AS_IT_IS,
              p -> p.changing().makeFolders(),
              p -> p.changing().create()),
          files("stat-cold", "stat, cold", COLD, p -> p.files().stat()),
          files("stat-warm", "stat, warm", WARM, p -> p.files().stat()),
          files("list-cold", "list + attributes, cold", COLD, p -> p.files().list()),
          files("list-warm", "list + attributes, warm", WARM, p -> p.files().list()),
          files("open-cold", "open + read + close, cold", COLD, p -> p.files().read()),
          files("open-warm", "open + read + close, warm", WARM, p -> p.files().read()),
          changing("chmod", p -> p.changing().chmod()),
          changing("rename", p -> p.changing().rename()),
          changing("unlink", p -> p.changing().unlink()),
          new Work(
              "seq-write",
              "sequential write + fsync",
              MIB_PER_SECOND,
              AS_IT_IS,
              p -> p.big().remove(),
              p -> p.big().write()),
          big("seq-read-cold", "sequential read, cold", MIB_PER_SECOND, COLD, p -> p.big().read()),
          big("seq-read-warm", "sequential read, warm", MIB_PER_SECOND, WARM, p -> p.big().read()),
          big(
              "rand-read-cold",
              "random 4 KiB read, cold",
              OPERATIONS_PER_SECOND,
              COLD,
              p -> p.big().randomRead()),
          overwriting("rand-write", "random 4 KiB write", p -> p.overwritten().randomWrite()),
          overwriting(
              "rand-write-fsync",
              "random 4 KiB write + fsync",
              p -> p.overwritten().randomSyncedWrite()));

  /** Programs. */
  public static final List<Work> APPLICATIONS =
      List.of(
          new Work(
              "untar",
              "tar -x of a source tree",
              SECONDS,
              AS_IT_IS,
              p -> p.programs().prepareUntar(),
              p -> p.programs().untar()),
          new Work(
              "rm",
              "rm -rf of it",
              SECONDS,
              AS_IT_IS,
              p -> p.programs().ensureSource(),
              p -> p.programs().remove()),
          new Work(
              "find-cold",
              "find in a large tree, cold",
              SECONDS,
              COLD,
              p -> p.programs().ensureFound(),
              p -> p.programs().find()),
          new Work(
              "git-status",
              "git status of a repository, warm",
              SECONDS,
              WARM,
              p -> p.programs().ensureRepository(),
              p -> p.programs().gitStatus()));

  /** A database: not for a target whose files cannot be given to its engine. */
  public static final List<Work> DATABASE =
      List.of(
          new Work(
              "pgbench",
              "PostgreSQL, pgbench with 4 clients",
              TRANSACTIONS_PER_SECOND,
              AS_IT_IS,
              p -> p.database().ensure(),
              p -> p.database().run()));

  private Works() {}

  private static Work files(String id, String title, Work.Start start, Work.Measured run) {
    return new Work(id, title, MICROSECONDS, start, p -> p.files().ensure(), run);
  }

  private static Work changing(String id, Work.Measured run) {
    return new Work(id, id, MICROSECONDS, AS_IT_IS, p -> p.changing().ensureKnown(), run);
  }

  private static Work big(String id, String title, Unit unit, Work.Start start, Work.Measured run) {
    return new Work(id, title, unit, start, p -> p.big().ensure(), run);
  }

  private static Work overwriting(String id, String title, Work.Measured run) {
    return new Work(id, title, OPERATIONS_PER_SECOND, AS_IT_IS, p -> p.overwritten().ensure(), run);
  }
}
