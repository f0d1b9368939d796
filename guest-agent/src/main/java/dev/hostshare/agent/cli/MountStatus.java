package dev.hostshare.agent.cli;

import dev.hostshare.agent.fs.CachePolicy;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.remote.SessionStatus;
import java.util.Locale;

/** One mount's state in the two forms of {@code status}. */
final class MountStatus {
  private MountStatus() {}

  static String text(ActiveMount active) {
    FileSystem.Status status = active.fs().status();
    SessionStatus session = status.session();
    CachePolicy policy = active.fs().policy();
    return """
        %s
          share       %s%s
          server      %s (%s), %s
          driver      %s, process %d
          requests    %d done or begun, %d with an error, %d waiting
          session     number %d, connection %d, %d in flight, %d queued, %d bytes
          caches      %d inodes, %d open; names kept %s, attributes %s%s; %d invalidations, %d names known ahead
        """
        .formatted(
            active.mount().mountPoint(),
            active.fs().share().getPath(),
            active.fs().share().getReadOnly() ? " (read-only)" : "",
            active.request().session().address(),
            session.server(),
            state(session),
            active.mount().driver(),
            ProcessHandle.current().pid(),
            status.requests(),
            status.errors(),
            active.mount().pendingRequests(),
            session.generation(),
            session.connections(),
            session.inFlight(),
            session.queued(),
            session.bytesInFlight(),
            status.inodes(),
            status.handles(),
            seconds(policy.entryNanos(false)) + " s",
            seconds(policy.attrNanos(false)) + " s",
            policy.watches() ? ", longer where the server watches" : "",
            status.invalidations(),
            status.local());
  }

  static String json(ActiveMount active) {
    FileSystem.Status status = active.fs().status();
    SessionStatus session = status.session();
    CachePolicy policy = active.fs().policy();
    return """
        {"mountPoint":%s,"share":%s,"readOnly":%s,"server":{"address":%s,"name":%s,"state":%s},\
        "driver":%s,"pid":%d,"requests":{"total":%d,"errors":%d,"waiting":%d},\
        "session":{"generation":%d,"connections":%d,"inFlight":%d,"queued":%d,"bytesInFlight":%d},\
        "caches":{"inodes":%d,"handles":%d,"entrySeconds":%s,"attributeSeconds":%s,"watched":%s,"invalidations":%d,"local":%d}}"""
        .formatted(
            quote(active.mount().mountPoint().toString()),
            quote(active.fs().share().getPath()),
            active.fs().share().getReadOnly(),
            quote(active.request().session().address().toString()),
            quote(session.server()),
            quote(state(session)),
            quote(active.mount().driver()),
            ProcessHandle.current().pid(),
            status.requests(),
            status.errors(),
            active.mount().pendingRequests(),
            session.generation(),
            session.connections(),
            session.inFlight(),
            session.queued(),
            session.bytesInFlight(),
            status.inodes(),
            status.handles(),
            seconds(policy.entryNanos(false)),
            seconds(policy.attrNanos(false)),
            policy.watches(),
            status.invalidations(),
            status.local());
  }

  private static String state(SessionStatus session) {
    return session.state().name().toLowerCase(Locale.ROOT);
  }

  private static String seconds(long nanos) {
    double seconds = nanos / 1e9;
    return seconds == Math.rint(seconds) ? Long.toString((long) seconds) : Double.toString(seconds);
  }

  /** A JSON string, RFC 8259 section 7. */
  static String quote(String text) {
    var quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ') {
        quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
