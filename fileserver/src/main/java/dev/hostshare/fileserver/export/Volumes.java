package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.overlay.OverlayStore;
import java.util.concurrent.ConcurrentHashMap;

/**
 * From the device numbers that stat gives, which change at every boot, to the store's numbers of
 * file systems. Thread-safe.
 */
public final class Volumes {
  private final HostFs host;
  private final OverlayStore overlay;
  private final ConcurrentHashMap<Long, Integer> byDevice = new ConcurrentHashMap<>();

  public Volumes(HostFs host, OverlayStore overlay) {
    this.host = host;
    this.overlay = overlay;
  }

  /** The identity of what was just seen at {@code name} in {@code dir}. */
  public FileId identify(HostStat stat, int dir, byte[] name) throws ErrnoException {
    Integer volume = byDevice.get(stat.dev());
    if (volume == null) {
      volume = learn(stat, dir, name);
    }
    return new FileId(volume, stat.inode(), stat.btime().nanos());
  }

  private int learn(HostStat stat, int dir, byte[] name) throws ErrnoException {
    int fd = host.openLocation(dir, name.length == 0 ? new byte[] {'.'} : name);
    try {
      // It may have been replaced by something on another file system since it was looked at.
      long device = host.stat(fd, HostFs.SELF).dev();
      int volume = overlay.volume(host.volumeKey(fd));
      byDevice.put(device, volume);
      if (device != stat.dev()) {
        throw ErrnoException.of(dev.hostshare.proto.Errno.ESTALE);
      }
      return volume;
    } finally {
      host.close(fd);
    }
  }
}
