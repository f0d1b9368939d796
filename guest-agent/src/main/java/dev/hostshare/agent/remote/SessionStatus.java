package dev.hostshare.agent.remote;

/**
 * A session at one moment, for {@code status}.
 *
 * @param state how the connection stands
 * @param server name and version of the server, as it says; empty before the first welcome
 * @param generation how many sessions the server gave us, 1 for the first
 * @param connections how many times a connection was made
 * @param inFlight requests that the server works on
 * @param queued requests that wait for a place in flight or for the connection
 * @param bytesInFlight data bytes in unanswered requests
 */
public record SessionStatus(
    State state,
    String server,
    long generation,
    long connections,
    int inFlight,
    int queued,
    long bytesInFlight) {

  /** How a session's connection stands. */
  public enum State {
    /** Not yet welcomed for the first time. */
    CONNECTING,
    CONNECTED,
    /** The connection broke; requests wait for the next one. */
    RECONNECTING,
    /** Away for longer than the timeout; requests fail at once with EIO. Connecting goes on. */
    DOWN,
    CLOSED
  }
}
