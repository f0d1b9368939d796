package dev.hostshare.perf.workload;

import static dev.hostshare.perf.measure.Unit.MIB_PER_SECOND;
import static dev.hostshare.perf.measure.Unit.OPERATIONS_PER_SECOND;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.sys.Calls;
import dev.hostshare.perf.sys.Errno;
import dev.hostshare.perf.sys.SystemCallException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/** One file, moved in buffers of 1 MiB or in pages of 4 KiB at random places. */
final class BigFile {
  private static final int CHUNK = Scale.MIB;
  private static final int PAGE = Content.PAGE;

  /**
   * So many reads of a cold file follow each other before what they gave is compared: a file system
   * that reads ahead has the time of the comparison for nothing.
   */
  private static final int BATCH = 8;

  /**
   * Where nothing is read ahead, each is compared at once, so that the buffer stays in the
   * processor's cache, as that of a program does: with 8, reads with O_DIRECT take 1.4 times as
   * long.
   */
  private static final int AT_ONCE = 1;

  /**
   * A file that is to be overwritten in pages comes into being in pieces of so much, as a
   * database's does. Where it was written a MiB at a time, ext4's page cache has it in folios of a
   * MiB, if there are any at the time, and a write of 4 KiB takes 16 to 35 µs rather than 3.
   */
  private static final int PIECE = 64 << 10;

  private static final int READS = 4096;
  private static final int WRITES = 8192;

  /** Fewer: each waits for the disk. */
  private static final int SYNCED_WRITES = 1024;

  private final Path file;
  private final MemorySegment path;
  private final MemorySegment buffer;
  private final long size;
  private final Scale scale;
  private final Content content;
  private final Content overwritten;
  private final Random random;

  /** Pages whose content is that of {@link #overwritten}. */
  private final BitSet changed = new BitSet();

  /** What it is written in where nobody measures that. */
  private final int piece;

  private boolean isThere;

  private BigFile(Path file, Scale scale, int piece, Content content, Arena arena) {
    this.file = file;
    this.piece = piece;
    this.scale = scale;
    size = scale.size();
    this.content = content;
    overwritten = content.of(1);
    random = new Random(content.seed());
    path = arena.allocateFrom(file.toString());
    buffer = arena.allocate((long) BATCH * CHUNK, PAGE);
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        Workload.named("seq-write", "sequential write + fsync")
            .standsFor("copying large files, images, backups")
            .in(MIB_PER_SECOND)
            .quick()
            .keeps(s -> footprint("big", s))
            .prepare(p -> big(p).remove())
            .check(p -> big(p).checkAll())
            .run((p, watch) -> big(p).write(watch, 0, CHUNK)),
        reading("seq-read-cold", "sequential read, cold")
            .standsFor("loading a large file for the first time")
            .in(MIB_PER_SECOND)
            .quick()
            .cold()
            .run((p, watch) -> big(p).read(watch, 0, BATCH)),
        reading("seq-read-warm", "sequential read, warm")
            .standsFor("the same large file again")
            .in(MIB_PER_SECOND)
            .quick()
            .warm()
            .run((p, watch) -> big(p).read(watch, 0, AT_ONCE)),
        reading("rand-read-cold", "random 4 KiB read, cold")
            .standsFor("a database just started")
            .in(OPERATIONS_PER_SECOND)
            .quick()
            .cold()
            .with(Workload.Trait.PACED)
            .run((p, watch) -> big(p).randomRead(watch, 0)),
        reading("rand-read-warm", "random 4 KiB read, warm")
            .standsFor("a database that has run for a while")
            .in(OPERATIONS_PER_SECOND)
            .warm()
            .with(Workload.Trait.PACED)
            .run((p, watch) -> big(p).randomRead(watch, 0)),
        overwriting("rand-write", "random 4 KiB write")
            .standsFor("databases and indexes between their commits")
            .quick()
            .run((p, watch) -> changing(p).randomWrite(watch, 0, false)),
        overwriting("rand-write-fsync", "random 4 KiB write + fsync")
            .standsFor("commits of a database")
            .quick()
            .run((p, watch) -> changing(p).randomWrite(watch, 0, true)),
        Workload.named("direct-seq-write", "sequential write, O_DIRECT")
            .standsFor("virtual machines' disks, databases past the page cache")
            .in(MIB_PER_SECOND)
            .keeps(s -> footprint("overwritten", s))
            .prepare(p -> changing(p).remove())
            .check(p -> changing(p).checkAll())
            .run((p, watch) -> changing(p).write(watch, Calls.O_DIRECT, CHUNK)),
        reading("direct-seq-read", "sequential read, O_DIRECT")
            .standsFor("virtual machines' disks, databases past the page cache")
            .in(MIB_PER_SECOND)
            .run((p, watch) -> big(p).read(watch, Calls.O_DIRECT, AT_ONCE)),
        overwriting("direct-write", "random 4 KiB write, O_DIRECT")
            .standsFor("databases that keep their own cache")
            .run((p, watch) -> changing(p).randomWrite(watch, Calls.O_DIRECT, false)),
        reading("direct-read", "random 4 KiB read, O_DIRECT")
            .standsFor("databases that keep their own cache; the round trip of a read")
            .in(OPERATIONS_PER_SECOND)
            .with(Workload.Trait.PACED)
            .run((p, watch) -> big(p).randomRead(watch, Calls.O_DIRECT)),
        reading("mmap-read-cold", "random 4 KiB read by mmap, cold")
            .standsFor("starting programs, search indexes")
            .in(OPERATIONS_PER_SECOND)
            .cold()
            .run((p, watch) -> big(p).mappedRead(watch)),
        reading("mmap-read-warm", "random 4 KiB read by mmap, warm")
            .standsFor("search indexes in use")
            .in(OPERATIONS_PER_SECOND)
            .warm()
            .run((p, watch) -> big(p).mappedRead(watch)),
        overwriting("mmap-write", "random 4 KiB write by mmap, then msync")
            .standsFor("embedded databases such as LMDB")
            .run((p, watch) -> changing(p).mappedWrite(watch)));
  }

  private static Workload.Builder reading(String id, String title) {
    return Workload.named(id, title).keeps(s -> footprint("big", s)).prepare(p -> big(p).ensure());
  }

  private static Workload.Builder overwriting(String id, String title) {
    return Workload.named(id, title)
        .in(OPERATIONS_PER_SECOND)
        .with(Workload.Trait.PACED)
        .keeps(s -> footprint("overwritten", s))
        .prepare(p -> changing(p).forgetChanges())
        .check(p -> changing(p).checkChanges());
  }

  private static Footprint footprint(String name, Scale scale) {
    return new Footprint(name, scale.size(), 1);
  }

  /** Always has the content that it was written with. */
  static BigFile big(Place place) {
    return at(place, "big", CHUNK);
  }

  private static BigFile changing(Place place) {
    return at(place, "overwritten", PIECE);
  }

  private static BigFile at(Place place, String name, int piece) {
    return place.keep(
        BigFile.class,
        name,
        p -> new BigFile(p.folder().resolve(name), p.scale(), piece, p.content(name), p.arena()));
  }

  MemorySegment path() {
    return path;
  }

  long size() {
    return size;
  }

  Content content() {
    return content;
  }

  private void remove() throws IOException {
    Files.deleteIfExists(file);
    changed.clear();
    isThere = false;
  }

  void ensure() throws IOException {
    if (!isThere) {
      remove();
      write(Stopwatch.unpaced(), 0, piece);
    }
  }

  /** A new file and fsync(2). */
  private void write(Stopwatch watch, int flags, int length) throws IOException {
    int fd = open(Calls.O_WRONLY | Calls.O_CREAT | Calls.O_EXCL | flags);
    try {
      MemorySegment part = buffer.asSlice(0, length);
      for (long at = 0; at < size; at += length) {
        content.fill(part, at);
        long begin = watch.begin();
        Calls.write(fd, part);
        watch.end(begin, 1, length);
      }
      long begin = System.nanoTime();
      Calls.fsync(fd);
      watch.charge(begin);
    } finally {
      Calls.close(fd);
    }
    isThere = true;
  }

  /** What a file system does not offer is no failure of it. */
  private int open(int flags) throws IOException {
    try {
      return Calls.open(path, flags, 0644);
    } catch (SystemCallException e) {
      if ((flags & Calls.O_DIRECT) != 0 && e.errno() == Errno.EINVAL) {
        throw new UnavailableException("this file system has no O_DIRECT");
      }
      throw e;
    }
  }

  private void read(Stopwatch watch, int flags, int batch) throws IOException {
    int fd = open(Calls.O_RDONLY | flags);
    long at = 0;
    long[] lengths = new long[batch];
    try {
      for (int read = batch; read == batch; ) {
        read = readBatch(watch, fd, lengths);
        for (int i = 0; i < read; i++) {
          check(buffer.asSlice((long) i * CHUNK, lengths[i]), at);
          at += lengths[i];
        }
      }
    } finally {
      Calls.close(fd);
    }
    if (at != size) {
      throw new WrongDataException("%d bytes instead of %d: %s".formatted(at, size, file));
    }
  }

  /** How many reads gave something; fewer than a batch at the end of the file. */
  private int readBatch(Stopwatch watch, int fd, long[] lengths) throws IOException {
    for (int i = 0; i < lengths.length; i++) {
      long begin = watch.begin();
      lengths[i] = Calls.read(fd, buffer.asSlice((long) i * CHUNK, CHUNK));
      if (lengths[i] == 0) {
        watch.charge(begin);
        return i;
      }
      watch.end(begin, 1, lengths[i]);
    }
    return lengths.length;
  }

  private void check(MemorySegment read, long at) throws IOException {
    if (read.byteSize() % Long.BYTES != 0) {
      throw new WrongDataException("a read of " + read.byteSize() + " bytes at " + at);
    }
    content.check(read, at, file.toString());
  }

  private void checkAll() throws IOException {
    read(Stopwatch.unpaced(), 0, AT_ONCE);
  }

  private void randomRead(Stopwatch watch, int flags) throws IOException {
    MemorySegment page = buffer.asSlice(0, PAGE);
    int fd = open(Calls.O_RDONLY | flags);
    try {
      for (long place : places(number(watch, READS))) {
        long begin = watch.begin();
        Calls.pread(fd, page, place);
        watch.end(begin, 1, PAGE);
        content.check(page, place, file.toString());
      }
    } finally {
      Calls.close(fd);
    }
  }

  /** So that what is found afterwards is of this run. */
  private void forgetChanges() throws IOException {
    ensure();
    if (!changed.isEmpty()) {
      int fd = Calls.open(path, Calls.O_WRONLY, 0);
      try {
        MemorySegment page = buffer.asSlice(0, PAGE);
        for (int i = changed.nextSetBit(0); i >= 0; i = changed.nextSetBit(i + 1)) {
          content.fill(page, (long) i * PAGE);
          Calls.pwrite(fd, page, (long) i * PAGE);
        }
        Calls.fsync(fd);
      } finally {
        Calls.close(fd);
      }
      changed.clear();
    }
  }

  private void randomWrite(Stopwatch watch, int flags, boolean synced) throws IOException {
    MemorySegment page = buffer.asSlice(0, PAGE);
    int fd = open(Calls.O_WRONLY | flags);
    try {
      for (long place : places(number(watch, synced ? SYNCED_WRITES : WRITES))) {
        overwritten.fill(page, place);
        changed.set((int) (place / PAGE));
        long begin = watch.begin();
        Calls.pwrite(fd, page, place);
        if (synced) {
          Calls.fsync(fd);
        }
        watch.end(begin, 1, PAGE);
      }
    } finally {
      long begin = System.nanoTime();
      Calls.close(fd);
      watch.charge(begin);
    }
  }

  private void checkChanges() throws IOException {
    MemorySegment page = buffer.asSlice(0, PAGE);
    int fd = Calls.open(path, Calls.O_RDONLY, 0);
    try {
      for (int i = changed.nextSetBit(0); i >= 0; i = changed.nextSetBit(i + 1)) {
        Calls.pread(fd, page, (long) i * PAGE);
        overwritten.check(page, (long) i * PAGE, file.toString());
      }
    } finally {
      Calls.close(fd);
    }
  }

  private void mappedRead(Stopwatch watch) throws IOException {
    MemorySegment page = buffer.asSlice(0, PAGE);
    Mapping.with(
        file,
        size,
        false,
        mapping -> {
          for (long place : places(number(watch, READS))) {
            long begin = watch.begin();
            page.copyFrom(mapping.asSlice(place, PAGE));
            watch.end(begin, 1, PAGE);
            content.check(page, place, file.toString());
          }
        });
  }

  private void mappedWrite(Stopwatch watch) throws IOException {
    MemorySegment page = buffer.asSlice(0, PAGE);
    Mapping.with(
        file,
        size,
        true,
        mapping -> {
          for (long place : places(number(watch, WRITES))) {
            overwritten.fill(page, place);
            changed.set((int) (place / PAGE));
            long begin = watch.begin();
            mapping.asSlice(place, PAGE).copyFrom(page);
            watch.end(begin, 1, PAGE);
          }
          long begin = System.nanoTime();
          Calls.syncMapping(mapping);
          watch.charge(begin);
        });
  }

  private int number(Stopwatch watch, int atStandard) {
    return watch.within(scale.operations(atStandard));
  }

  private long[] places(int count) {
    return random.longs(count, 0, size / PAGE).map(page -> page * PAGE).toArray();
  }
}
