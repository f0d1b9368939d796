package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * The names that the kernel was told are missing, and keeps as such until told otherwise. It has no
 * inode for them, so when everything is to be dropped only we know them. Thread-safe.
 */
final class MissingNames {
  /** Some 100 bytes each. A compiler that searches its include path leaves a few thousand. */
  private static final int MAX = 16_384;

  /** A name in a directory, by the directory's number of ours. */
  record Name(long directory, ByteString name) {}

  private final LinkedHashSet<Name> names = new LinkedHashSet<>();

  /** Notes a name; answers the one that is known longest if there are too many, or null. */
  synchronized Name add(Name name) {
    names.add(name);
    return names.size() > MAX ? names.removeFirst() : null;
  }

  synchronized void remove(Name name) {
    names.remove(name);
  }

  /** Takes out all. */
  synchronized List<Name> takeAll() {
    List<Name> all = new ArrayList<>(names);
    names.clear();
    return all;
  }
}
