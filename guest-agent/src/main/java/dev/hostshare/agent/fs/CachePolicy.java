package dev.hostshare.agent.fs;

import dev.hostshare.proto.v1.OwnerPolicy;
import dev.hostshare.proto.v1.Share;
import java.util.concurrent.TimeUnit;

/**
 * How long the kernel may keep what it was told: the one place that decides it.
 *
 * <p>What the server watches is kept for hours: it tells us when it changes. What it does not watch
 * is kept for a second, missing names not at all: a change made on the host shows within a second,
 * and at once to whoever opens the file (close-to-open). Where the owner depends on who asks,
 * nothing is kept: it would be one caller's view shown to another.
 *
 * @param watches whether the server tells us of changes at all
 * @param perCaller whether attributes depend on who asks, and the server checks permissions
 */
public record CachePolicy(boolean watches, boolean perCaller) {

  private static final long UNWATCHED = TimeUnit.SECONDS.toNanos(1);

  /** Longer than any connection lives without something being said; the kernel takes 2^63 s. */
  private static final long WATCHED = TimeUnit.HOURS.toNanos(24);

  public static CachePolicy of(Share share, boolean watches) {
    return new CachePolicy(watches, share.getOwner() == OwnerPolicy.CALLER);
  }

  /** How long a name is kept, nanoseconds. */
  public long entryNanos(boolean watched) {
    return nanos(watched);
  }

  /** How long attributes are kept, nanoseconds. */
  public long attrNanos(boolean watched) {
    return nanos(watched);
  }

  private long nanos(boolean watched) {
    if (perCaller) {
      return 0;
    }
    return watched ? WATCHED : UNWATCHED;
  }
}
