package dev.hostshare.agent.remote;

import static com.google.common.base.Preconditions.checkArgument;

import java.time.Duration;

/**
 * What a session is begun with.
 *
 * @param address where the server listens
 * @param security how a TCP connection is protected
 * @param timeout how long requests wait for a server that is away before they fail with EIO
 * @param client the name for the server's log and status
 */
public record SessionOptions(
    ServerAddress address, TransportSecurity security, Duration timeout, String client) {

  /** 20 s: longer than a server's restart, shorter than a user's patience. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(20);

  /** 1 MiB: the largest read or write that the FUSE protocol carries. */
  static final int MAX_PAYLOAD = 1 << 20;

  /**
   * Bytes of data in requests that have no answer yet; beyond it callers wait. A quarter of the
   * memory for buffers, of which the launcher tells, since more than one copy is made of each on
   * its way, and at the most 16 MiB: with 17 MiB for buffers and 16 in flight, 120 writers ran out.
   */
  static final int MAX_BYTES_IN_FLIGHT =
      Math.clamp(Integer.getInteger("hostshare.buffers", 64) / 4, 2, 16) << 20;

  public SessionOptions {
    checkArgument(timeout.isPositive(), "timeout (%s) must be positive", timeout);
    security.check(address);
  }
}
