package dev.hostshare.perf.compare;

import dev.hostshare.perf.work.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What is to be measured.
 *
 * @param targets names, in the order of the columns
 * @param builds those of them that are installations of hostshare
 * @param files how many small files
 * @param size of the big file, in bytes
 * @param freshProcesses whether a cold start is that of the processes, too, and not of the caches
 *     only
 */
record Plan(
    List<String> targets,
    List<String> builds,
    List<Work> works,
    int rounds,
    int files,
    long size,
    boolean freshProcesses) {
  /** An installation of hostshare beside a peer or beside an installation named before it. */
  record Pair(String ours, String peer) {
    OptionalDouble goal(Work work) {
      return Goals.of(work.id(), peer);
    }
  }

  /** Files of the source tree that programs unpack and remove. */
  int sources() {
    return files * 5 / 4;
  }

  /** Files of the tree that find(1) walks. */
  int found() {
    return files * 25;
  }

  /** Files of the git repository. */
  int tracked() {
    return files * 25 / 2;
  }

  List<Pair> pairs() {
    var pairs = new ArrayList<Pair>();
    for (int i = 0; i < builds.size(); i++) {
      String build = builds.get(i);
      targets.stream()
          .filter(target -> !builds.contains(target))
          .forEach(peer -> pairs.add(new Pair(build, peer)));
      builds.subList(0, i).forEach(earlier -> pairs.add(new Pair(build, earlier)));
    }
    return pairs;
  }
}
