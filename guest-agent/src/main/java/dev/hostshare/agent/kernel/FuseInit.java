package dev.hostshare.agent.kernel;

import dev.hostshare.agent.fs.CachePolicy;
import dev.hostshare.agent.kernel.FuseAbi.InitFlags;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * What was agreed with the kernel in FUSE_INIT.
 *
 * @param minor the protocol's minor version that both speak
 * @param flags those of {@link InitFlags} that both have
 * @param maxWrite bytes of one write, and of one read
 */
record FuseInit(int minor, int maxReadahead, long flags, int maxWrite) {

  /** Requests that the kernel issues without a process waiting (read-ahead); its default is 12. */
  private static final int MAX_BACKGROUND = 64;

  private static final int CONGESTION_THRESHOLD = 48;
  private static final int PAGE_SIZE = 4096;

  /**
   * Answers the kernel's offer.
   *
   * @param in the request's body
   * @param maxPayload bytes that one read or write may carry to the server
   * @throws IOException if the kernel's protocol is older than what we can speak
   */
  static FuseInit negotiate(RequestBody in, CachePolicy policy, int maxPayload) throws IOException {
    int major = in.u32(FuseAbi.InitIn.MAJOR);
    int minor = in.u32(FuseAbi.InitIn.MINOR);
    if (major != FuseAbi.MAJOR || minor < FuseAbi.MIN_MINOR) {
      throw new IOException(
          "this kernel speaks FUSE %d.%d and hostshare needs %d.%d or later (Linux 5.4): try --driver jnr"
              .formatted(major, minor, FuseAbi.MAJOR, FuseAbi.MIN_MINOR));
    }
    long offered = Integer.toUnsignedLong(in.u32(FuseAbi.InitIn.FLAGS));
    if ((offered & InitFlags.INIT_EXT) != 0 && in.size() >= FuseAbi.InitIn.FLAGS2 + 4) {
      offered |= Integer.toUnsignedLong(in.u32(FuseAbi.InitIn.FLAGS2)) << 32;
    }
    return new FuseInit(
        Math.min(minor, FuseAbi.MINOR),
        in.u32(FuseAbi.InitIn.MAX_READAHEAD),
        offered & wanted(policy),
        maxPayload);
  }

  private static long wanted(CachePolicy policy) {
    long flags =
        InitFlags.ASYNC_READ
            | InitFlags.POSIX_LOCKS
            | InitFlags.ATOMIC_O_TRUNC
            | InitFlags.BIG_WRITES
            | InitFlags.DONT_MASK
            | InitFlags.FLOCK_LOCKS
            | InitFlags.ASYNC_DIO
            | InitFlags.PARALLEL_DIROPS
            | InitFlags.MAX_PAGES
            | InitFlags.HANDLE_KILLPRIV_V2
            | InitFlags.SETXATTR_EXT
            | InitFlags.HAS_EXPIRE_ONLY
            | InitFlags.INIT_EXT;
    // With AUTO the kernel drops a file's pages whenever its times move, a database's on each of
    // its
    // own writes; where the server tells us of others' changes, only those make us drop them.
    flags |=
        policy.watches() && !policy.perCaller()
            ? InitFlags.EXPLICIT_INVAL_DATA
            : InitFlags.AUTO_INVAL_DATA;
    if (!policy.perCaller()) {
      // POSIX_ACL makes the kernel check permissions, and ALLOW_IDMAP needs that it does.
      // Attributes
      // that come with names are of no use if they may not be kept. A symlink's target never
      // changes.
      flags |=
          InitFlags.POSIX_ACL
              | InitFlags.ALLOW_IDMAP
              | InitFlags.DO_READDIRPLUS
              | InitFlags.CACHE_SYMLINKS;
      if (!policy.watches()) {
        // Attributes that are kept for a second are worth their price only if they are used at
        // once.
        flags |= InitFlags.READDIRPLUS_AUTO;
      }
    }
    return flags;
  }

  boolean has(long flag) {
    return (flags & flag) != 0;
  }

  /** The answer, for {@link #encode}. */
  static final FuseEncoder<FuseInit> ENCODER =
      FuseEncoder.of(FuseAbi.InitOut.SIZE, FuseInit::encode);

  private static void encode(FuseInit init, MemorySegment out) {
    FuseEncoder.u32(out, FuseAbi.InitOut.MAJOR, FuseAbi.MAJOR);
    FuseEncoder.u32(out, FuseAbi.InitOut.MINOR, init.minor);
    FuseEncoder.u32(out, FuseAbi.InitOut.MAX_READAHEAD, init.maxReadahead);
    FuseEncoder.u32(out, FuseAbi.InitOut.FLAGS, (int) init.flags);
    FuseEncoder.u32(
        out, FuseAbi.InitOut.MAX_BACKGROUND, MAX_BACKGROUND | CONGESTION_THRESHOLD << 16);
    FuseEncoder.u32(out, FuseAbi.InitOut.MAX_WRITE, init.maxWrite);
    FuseEncoder.u32(out, FuseAbi.InitOut.TIME_GRAN, 1);
    FuseEncoder.u32(out, FuseAbi.InitOut.MAX_PAGES, init.maxWrite / PAGE_SIZE);
    FuseEncoder.u32(out, FuseAbi.InitOut.FLAGS2, (int) (init.flags >>> 32));
  }
}
