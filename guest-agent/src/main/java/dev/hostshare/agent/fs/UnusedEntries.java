package dev.hostshare.agent.fs;

import dev.hostshare.agent.remote.Session;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Forget;

/**
 * Entries of one session that nobody will hand out: their lookup counts are gathered, and given
 * back together when no lock is held any more. For one thread.
 */
final class UnusedEntries {
  private final Session session;

  /** The session that the counts belong to: those of one that is over are void. */
  private final long generation;

  private final Forget.Builder counts = Forget.newBuilder();

  /** For entries of the present session. */
  UnusedEntries(Session session) {
    this.session = session;
    this.generation = session.generation();
  }

  /** Adds an entry of the session {@code ofGeneration}. */
  void add(Entry entry, long ofGeneration) {
    if (ofGeneration == generation) {
      counts.addNodes(Forget.One.newBuilder().setNode(entry.getNode()).setCount(1));
    }
  }

  void giveBack() {
    if (counts.getNodesCount() > 0) {
      session.forget(generation, counts.build());
    }
  }
}
