package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.OwnerPolicy;
import dev.hostshare.proto.v1.Share;
import java.util.concurrent.TimeUnit;

/**
 * How long the kernel may keep what it was told: the one place that decides it.
 *
 * <p>Entries and attributes are kept for a second, missing names not at all: a change made on the
 * host shows within a second, and at once to whoever opens the file (close-to-open). Where the
 * owner depends on who asks, nothing is kept: it would be one caller's view shown to another.
 *
 * @param entryNanos how long a name is kept, nanoseconds
 * @param attrNanos how long attributes are kept, nanoseconds
 * @param perCaller whether attributes depend on who asks, and the server checks permissions
 */
public record CachePolicy(long entryNanos, long attrNanos, boolean perCaller) {

  private static final long ONE_SECOND = TimeUnit.SECONDS.toNanos(1);

  public static CachePolicy of(Share share) {
    return share.getOwner() == OwnerPolicy.CALLER
        ? new CachePolicy(0, 0, true)
        : new CachePolicy(ONE_SECOND, ONE_SECOND, false);
  }

  NodeAttr attr(Attr attr) {
    return new NodeAttr(attr, attrNanos);
  }

  /**
   * Whether pages read when the file had the attributes {@code told} are still good now that it has
   * {@code now}. A change within the resolution of the host's clock and of the same size is not
   * seen; Linux's file systems have a few milliseconds there.
   */
  static boolean sameContent(Attr told, Attr now) {
    return told != null
        && told.getSize() == now.getSize()
        && told.getMtime() == now.getMtime()
        && told.getMtimeNsec() == now.getMtimeNsec()
        && told.getCtime() == now.getCtime()
        && told.getCtimeNsec() == now.getCtimeNsec();
  }
}
