package dev.hostshare.perf.work;

import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** One file, moved in buffers of 1 MiB or in pages of 4 KiB at random places. */
final class BigFile {
  private static final int READS = 4096;
  private static final int WRITES = 8192;

  /** Fewer: each waits for the disk. */
  private static final int SYNCED_WRITES = 1024;

  private final Path file;
  private final MemorySegment path;
  private final MemorySegment buffer;
  private final long size;
  private final Random random = new Random(2);
  private int writing;
  private boolean isThere;

  /**
   * Makes nothing yet.
   *
   * @param size in bytes, rounded down to whole MiB
   * @param arena for path and buffer; outlives this
   */
  BigFile(Path file, long size, Arena arena) {
    this.file = file;
    this.size = size / Content.CHUNK * Content.CHUNK;
    path = arena.allocateFrom(file.toString());
    buffer = arena.allocate(Content.CHUNK, Content.PAGE);
  }

  /** Not counted. */
  void remove() throws IOException {
    Files.deleteIfExists(file);
    isThere = false;
  }

  /** Not counted: the file, unless it is there. */
  void ensure() throws IOException {
    if (!isThere) {
      remove();
      write();
    }
  }

  /** A new file and fsync(2), in MiB per second. */
  double write() throws IOException {
    long start = System.nanoTime();
    int fd = Calls.open(path, Calls.O_WRONLY | Calls.O_CREAT | Calls.O_EXCL, 0644);
    for (long at = 0; at < size; at += Content.CHUNK) {
      Calls.write(fd, Content.at(at, Content.CHUNK, 0));
    }
    Calls.fsync(fd);
    Calls.close(fd);
    double figure = mibPerSecond(start);
    isThere = true;
    return figure;
  }

  /** In MiB per second. Each page's beginning is checked. */
  double read() throws IOException {
    long start = System.nanoTime();
    int fd = Calls.open(path, Calls.O_RDONLY, 0);
    long at = 0;
    for (long n = Calls.read(fd, buffer); n > 0; n = Calls.read(fd, buffer)) {
      if (n % Content.PAGE != 0 || !isExpected(at, n)) {
        throw new IOException("wrong content: " + file + " at " + at);
      }
      at += n;
    }
    Calls.close(fd);
    double figure = mibPerSecond(start);
    if (at != size) {
      throw new IOException(at + " bytes instead of " + size + ": " + file);
    }
    return figure;
  }

  /** A read may have been short, and the next one goes across a chunk's end. */
  private boolean isExpected(long at, long length) {
    for (long done = 0; done < length; ) {
      long part = Math.min(length - done, Content.CHUNK - (at + done) % Content.CHUNK);
      if (!Content.hasPages(buffer.asSlice(done, part), Content.at(at + done, part, 0))) {
        return false;
      }
      done += part;
    }
    return true;
  }

  /** Pages at random places, in reads per second. The content is checked. */
  double randomRead() throws IOException {
    long[] places = places(READS);
    MemorySegment page = buffer.asSlice(0, Content.PAGE);
    long start = System.nanoTime();
    int fd = Calls.open(path, Calls.O_RDONLY, 0);
    for (long place : places) {
      Calls.pread(fd, page, place);
      if (!Content.isEqual(page, Content.at(place, Content.PAGE, 0))) {
        throw new IOException("wrong content: " + file + " at " + place);
      }
    }
    Calls.close(fd);
    return perSecond(start, places.length);
  }

  /** Pages at random places, then close(2), in writes per second. Read back, not counted. */
  double randomWrite() throws IOException {
    return randomWrite(WRITES, false);
  }

  /** The same with fsync(2) after each. */
  double randomSyncedWrite() throws IOException {
    return randomWrite(SYNCED_WRITES, true);
  }

  private double randomWrite(int count, boolean synced) throws IOException {
    long[] places = places(count);
    writing++;
    long start = System.nanoTime();
    int fd = Calls.open(path, Calls.O_WRONLY, 0);
    for (long place : places) {
      Calls.pwrite(fd, Content.at(place, Content.PAGE, writing), place);
      if (synced) {
        Calls.fsync(fd);
      }
    }
    Calls.close(fd);
    double figure = perSecond(start, places.length);
    verify(places);
    return figure;
  }

  private void verify(long[] places) throws IOException {
    MemorySegment page = buffer.asSlice(0, Content.PAGE);
    int fd = Calls.open(path, Calls.O_RDONLY, 0);
    for (long place : places) {
      Calls.pread(fd, page, place);
      if (!Content.isEqual(page, Content.at(place, Content.PAGE, writing))) {
        throw new IOException("not what was written: " + file + " at " + place);
      }
    }
    Calls.close(fd);
  }

  private long[] places(int count) {
    long pages = size / Content.PAGE;
    return random.longs(count, 0, pages).map(page -> page * Content.PAGE).toArray();
  }

  private double mibPerSecond(long start) {
    return size / (double) Content.CHUNK / seconds(start);
  }

  private static double perSecond(long start, int count) {
    return count / seconds(start);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
