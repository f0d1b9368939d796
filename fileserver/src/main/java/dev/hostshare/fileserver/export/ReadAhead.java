package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.export.Node.Alias;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.proto.Linux;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the host's kernel read the small files of a directory into its cache when a guest begins to
 * read them one after the other, as it does itself with the blocks of one file. Thread-safe.
 */
public final class ReadAhead {
  private static final Logger log = LoggerFactory.getLogger(ReadAhead.class);

  /** Two may be a coincidence. */
  private static final int FIRST_OPENS = 3;

  /** Opens further apart are not one program's way through the directory. */
  private static final long TOGETHER_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** After so many opens more what was read ahead may have been dropped again. */
  private static final int AGAIN_OPENS = 4096;

  private static final int MAX_FILES = 512;
  private static final int MAX_BYTES = 64 << 10;

  /** One directory at a time: it is the disk that is waited for. */
  private static final Semaphore TURN = new Semaphore(1);

  private final ExportSession session;
  private final HostFs host;

  ReadAhead(ExportSession session) {
    this.session = session;
    this.host = session.host;
  }

  /** A small file was opened to be read. */
  public void opened(long node) throws ErrnoException {
    Alias alias = session.nodes.get(node).alias;
    if (alias != null && begins(alias.parent())) {
      Thread.ofVirtual().name("read-ahead").start(() -> readAll(alias.parent()));
    }
  }

  private synchronized boolean begins(Node directory) {
    long now = System.nanoTime();
    boolean together = now - directory.smallOpenNanos < TOGETHER_NANOS;
    directory.smallOpens = together ? directory.smallOpens % AGAIN_OPENS + 1 : 1;
    directory.smallOpenNanos = now;
    return directory.smallOpens == FIRST_OPENS;
  }

  private void readAll(Node directory) {
    if (!TURN.tryAcquire()) {
      return; // the next one will do
    }
    try (Location at = session.locate(directory)) {
      List<HostFs.DirEntry> names = new ArrayList<>();
      int fd = session.inodes().openConfirmed(directory, at, Linux.O_RDONLY | Linux.O_DIRECTORY);
      try {
        while (host.readDirectory(fd, names::add) && names.size() < MAX_FILES) {
          // the next batch
        }
      } finally {
        host.close(fd);
      }
      for (HostFs.DirEntry e : names.subList(0, Math.min(names.size(), MAX_FILES))) {
        if (e.type() == Linux.S_IFREG) {
          read(at, e.name());
        }
      }
    } catch (ErrnoException e) {
      log.debug("a directory cannot be read ahead: {}", e.getMessage());
    } finally {
      TURN.release();
    }
  }

  private void read(Location at, byte[] name) {
    try {
      int fd = session.descriptors.withRoom(() -> host.open(at.dir, name, Linux.O_RDONLY, 0));
      try {
        HostStat stat = host.stat(fd, HostFs.SELF);
        if (stat.isRegular() && stat.size() <= MAX_BYTES) {
          host.readAhead(fd, stat.size());
        }
      } finally {
        host.close(fd);
      }
    } catch (ErrnoException e) {
      log.trace("a file cannot be read ahead: {}", e.getMessage());
    }
  }
}
