package dev.hostshare.perf.compare;

import static com.google.common.base.Preconditions.checkArgument;

import com.google.common.collect.ListMultimap;
import com.google.common.collect.MultimapBuilder;
import dev.hostshare.perf.work.Work;
import java.util.ArrayList;
import java.util.List;

/** Figures by work and target, one per round, in the order of the rounds. */
final class Results {
  private record Key(String work, String target) {}

  private final ListMultimap<Key, Double> figures =
      MultimapBuilder.linkedHashKeys().arrayListValues().build();

  void add(Work work, String target, double figure) {
    checkArgument(figure > 0, "figure (%s) of %s must be positive", figure, work.id());
    figures.put(new Key(work.id(), target), figure);
  }

  List<Double> rounds(Work work, String target) {
    return figures.get(new Key(work.id(), target));
  }

  double median(Work work, String target) {
    return Statistics.median(rounds(work, target));
  }

  /**
   * How many times as fast as the peer: the median over the rounds of each round's ratio, since the
   * figures of one round were measured within seconds of each other.
   */
  double speed(Work work, String target, String peer) {
    List<Double> ours = rounds(work, target);
    List<Double> theirs = rounds(work, peer);
    var ratios = new ArrayList<Double>();
    for (int i = 0; i < ours.size(); i++) {
      ratios.add(work.unit().speed(ours.get(i), theirs.get(i)));
    }
    return Statistics.median(ratios);
  }
}
