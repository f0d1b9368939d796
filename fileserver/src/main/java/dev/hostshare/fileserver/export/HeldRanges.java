package dev.hostshare.fileserver.export;

import dev.hostshare.proto.Linux;
import java.util.ArrayList;
import java.util.List;

/**
 * The byte ranges that one lock owner holds in one file, by POSIX's rules: a new lock replaces what
 * it overlaps. The host's kernel holds the locks; this only remembers whose they are. Not
 * thread-safe.
 */
final class HeldRanges {
  private record Range(int type, long start, long end) {}

  private final List<Range> ranges = new ArrayList<>();

  /** {@code end} is inclusive; type F_UNLCK removes. */
  void set(int type, long start, long end) {
    List<Range> old = List.copyOf(ranges);
    ranges.clear();
    for (Range r : old) {
      if (r.end() < start || r.start() > end) {
        ranges.add(r);
        continue;
      }
      if (r.start() < start) {
        ranges.add(new Range(r.type(), r.start(), start - 1));
      }
      if (r.end() > end) {
        ranges.add(new Range(r.type(), end + 1, r.end()));
      }
    }
    if (type != Linux.F_UNLCK) {
      ranges.add(new Range(type, start, end));
    }
  }

  boolean holds(int type, long start, long end) {
    return ranges.stream().anyMatch(r -> r.type() == type && r.start() <= start && r.end() >= end);
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }
}
