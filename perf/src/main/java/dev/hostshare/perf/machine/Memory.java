package dev.hostshare.perf.machine;

import com.sun.management.OperatingSystemMXBean;
import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.sys.Errno;
import dev.hostshare.perf.sys.SystemCallException;
import java.io.IOException;
import java.lang.management.ManagementFactory;

/** The machine's memory. */
public final class Memory {
  private static final OperatingSystemMXBean SYSTEM =
      ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

  private Memory() {}

  /**
   * Uses so much of the memory that is free, half of it at most, and gives it back. The host of a
   * virtual machine takes back what has been free for two seconds (free page reporting), and finds
   * other memory when it is touched, which would count as the work of whoever comes first: 2.6 to
   * 3.2 ms for each MiB of a sequential write rather than 0.2.
   *
   * <p>Where a process may not have as much, nothing is done.
   *
   * @param bytes 0: nothing is done
   */
  public static void warm(long bytes) throws IOException {
    long length = Math.min(bytes, SYSTEM.getFreeMemorySize() / 2);
    if (length <= 0) {
      return;
    }
    try {
      Calls.unmap(Calls.mapMemory(length));
    } catch (SystemCallException e) {
      if (e.errno() != Errno.ENOMEM) {
        throw e;
      }
    }
  }
}
