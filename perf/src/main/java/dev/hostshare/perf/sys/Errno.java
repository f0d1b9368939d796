package dev.hostshare.perf.sys;

import java.lang.foreign.MemorySegment;

/** Reasons of failures: numbers are Linux's, the same on x86-64 and arm64. */
public final class Errno {
  public static final int ENOENT = 2;
  static final int ESRCH = 3;
  public static final int ENOMEM = 12;
  public static final int ENODEV = 19;
  public static final int EINVAL = 22;
  public static final int ENOSYS = 38;
  public static final int EOPNOTSUPP = 95;

  private Errno() {}

  /** As in errno(3): ENOSPC, for example. */
  static String name(int errno) {
    if (Libc.STRERRORNAME == null) {
      return "errno " + errno;
    }
    try {
      var name = (MemorySegment) Libc.STRERRORNAME.invokeExact(errno);
      return name.equals(MemorySegment.NULL) ? "errno " + errno : text(name);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static String message(int errno) {
    try {
      return text((MemorySegment) Libc.STRERROR.invokeExact(errno));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @SuppressWarnings("restricted") // the C library's answer has no size
  private static String text(MemorySegment answer) {
    return answer.reinterpret(256).getString(0);
  }
}
