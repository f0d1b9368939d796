package dev.hostshare.fileserver.export;

/**
 * Where a session's guest is told that what it may have cached is no longer so. What was computed
 * before the change and is sent after the call may still be on its way: the guest has to mind that.
 * Implementations are thread-safe and do not wait.
 */
public interface Invalidations {
  /** Attributes and content of a node. */
  void node(long node);

  /** What a name in a directory means. */
  void name(long directory, byte[] name);

  /** All that was ever told. */
  void everything();

  /** For a session that nobody listens to yet. */
  Invalidations NONE =
      new Invalidations() {
        @Override
        public void node(long node) {}

        @Override
        public void name(long directory, byte[] name) {}

        @Override
        public void everything() {}
      };
}
