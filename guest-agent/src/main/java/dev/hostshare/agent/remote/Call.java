package dev.hostshare.agent.remote;

/** A request on its way. */
public interface Call {

  /**
   * Asks that the request be given up. The handler gets its answer in any case: EINTR if the
   * request had not been sent, else what the server says. Does nothing once the answer is there.
   */
  void cancel();
}
