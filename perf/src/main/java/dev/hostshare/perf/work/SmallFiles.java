package dev.hostshare.perf.work;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.hostshare.perf.sys.Calls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Files of 4 KiB in folders of 100. Figures are microseconds per file. */
final class SmallFiles {
  private static final int PER_FOLDER = 100;

  /** What readdir(3) of glibc asks for at a time. */
  private static final int ENTRIES_BYTES = 32 << 10;

  // struct linux_dirent64, include/linux/dirent.h
  private static final int DIRENT_LENGTH = 16;
  private static final int DIRENT_NAME = 19;

  private static final int FILE = 0100000;
  private static final String FOLDER = "folder-";

  private final Path root;
  private final MemorySegment rootPath;
  private final MemorySegment[] folders;

  /** Two names of each file, and which of them it has. */
  private final MemorySegment[][] names = new MemorySegment[2][];

  private final MemorySegment page;
  private final MemorySegment entries;

  /** A folder's path with room for an entry's name. */
  private final MemorySegment path;

  private int named;
  private int mode = 0644;
  private boolean isThere;

  /**
   * Makes nothing yet.
   *
   * @param root a folder that is not there yet
   * @param arena for paths and buffers; outlives this
   */
  SmallFiles(Path root, int count, Arena arena) {
    this.root = root;
    rootPath = arena.allocateFrom(root.toString());
    folders = new MemorySegment[count / PER_FOLDER];
    names[0] = new MemorySegment[count];
    names[1] = new MemorySegment[count];
    for (int d = 0; d < folders.length; d++) {
      folders[d] = arena.allocateFrom(folder(d).toString());
      for (int f = 0; f < PER_FOLDER; f++) {
        int i = d * PER_FOLDER + f;
        names[0][i] =
            arena.allocateFrom(folder(d).resolve("file-%02d.txt".formatted(f)).toString());
        names[1][i] =
            arena.allocateFrom(folder(d).resolve("name-%02d.txt".formatted(f)).toString());
      }
    }
    page = arena.allocate(Content.PAGE, Content.PAGE);
    entries = arena.allocate(ENTRIES_BYTES, 8);
    path = arena.allocate(4096);
  }

  private Path folder(int number) {
    return root.resolve("%s%03d".formatted(FOLDER, number));
  }

  private int count() {
    return names[0].length;
  }

  /** Not counted: the folders without a file. */
  void makeFolders() throws IOException {
    if (isThere) {
      unlink();
    }
    for (int d = 0; d < folders.length; d++) {
      Files.createDirectories(folder(d));
    }
  }

  /** Not counted: the files, unless they are there. */
  void ensure() throws IOException {
    if (!isThere) {
      makeFolders();
      create();
    }
  }

  /** Not counted: the files, unless they are there, and a look at each: names are at hand. */
  void ensureKnown() throws IOException {
    ensure();
    stat();
  }

  double create() throws IOException {
    named = 0;
    mode = 0644;
    long start = System.nanoTime();
    for (int i = 0; i < count(); i++) {
      int fd = Calls.open(names[0][i], Calls.O_WRONLY | Calls.O_CREAT | Calls.O_EXCL, mode);
      Calls.write(fd, Content.ofFile(i));
      Calls.close(fd);
    }
    double figure = perFile(start);
    isThere = true;
    return figure;
  }

  double stat() throws IOException {
    long start = System.nanoTime();
    for (MemorySegment name : names[named]) {
      if (Calls.size(name) != Content.PAGE) {
        throw new IOException("wrong size: " + name.getString(0));
      }
    }
    return perFile(start);
  }

  /** The folders, then each one's entries and the attributes of each: as {@code ls -lR} does. */
  double list() throws IOException {
    long start = System.nanoTime();
    int seen = 0;
    for (int folder : listFolders()) {
      seen += list(folders[folder]);
    }
    double figure = perFile(start);
    if (seen != count()) {
      throw new IOException(seen + " entries instead of " + count() + " in " + root);
    }
    return figure;
  }

  /** The folders' numbers, as they are listed. */
  private List<Integer> listFolders() throws IOException {
    List<Integer> numbers = new ArrayList<>(folders.length);
    int fd = Calls.open(rootPath, Calls.O_RDONLY, 0);
    for (long end = Calls.entries(fd, entries); end > 0; end = Calls.entries(fd, entries)) {
      int entryLength;
      for (long at = 0; at < end; at += entryLength) {
        entryLength = Short.toUnsignedInt(entries.get(JAVA_SHORT, at + DIRENT_LENGTH));
        String name = entries.getString(at + DIRENT_NAME);
        if (name.startsWith(FOLDER)) {
          numbers.add(Integer.parseInt(name.substring(FOLDER.length())));
        }
      }
    }
    Calls.close(fd);
    return numbers;
  }

  private int list(MemorySegment folder) throws IOException {
    int seen = 0;
    long length = folder.byteSize() - 1;
    MemorySegment.copy(folder, 0, path, 0, length);
    path.set(JAVA_BYTE, length, (byte) '/');
    int fd = Calls.open(folder, Calls.O_RDONLY, 0);
    for (long end = Calls.entries(fd, entries); end > 0; end = Calls.entries(fd, entries)) {
      int entryLength;
      for (long at = 0; at < end; at += entryLength) {
        entryLength = Short.toUnsignedInt(entries.get(JAVA_SHORT, at + DIRENT_LENGTH));
        if (entries.get(JAVA_BYTE, at + DIRENT_NAME) == '.') {
          continue;
        }
        // The name, its NUL and padding.
        MemorySegment.copy(entries, at + DIRENT_NAME, path, length + 1, entryLength - DIRENT_NAME);
        if (Calls.size(path) != Content.PAGE) {
          throw new IOException("wrong size: " + path.getString(0));
        }
        seen++;
      }
    }
    Calls.close(fd);
    return seen;
  }

  /** Open, read, close; the content is checked. */
  double read() throws IOException {
    long start = System.nanoTime();
    for (int i = 0; i < count(); i++) {
      int fd = Calls.open(names[named][i], Calls.O_RDONLY, 0);
      long length = Calls.read(fd, page);
      Calls.close(fd);
      if (length != Content.PAGE || !Content.isEqual(page, Content.ofFile(i))) {
        throw new IOException("wrong content: " + names[named][i].getString(0));
      }
    }
    return perFile(start);
  }

  double chmod() throws IOException {
    mode = mode == 0644 ? 0600 : 0644;
    long start = System.nanoTime();
    for (MemorySegment name : names[named]) {
      Calls.chmod(name, mode);
    }
    double figure = perFile(start);
    for (MemorySegment name : names[named]) {
      if (Calls.mode(name) != (FILE | mode)) {
        throw new IOException("wrong mode: " + name.getString(0));
      }
    }
    return figure;
  }

  /** To the other name in the same folder. */
  double rename() throws IOException {
    MemorySegment[] from = names[named];
    MemorySegment[] to = names[1 - named];
    long start = System.nanoTime();
    for (int i = 0; i < count(); i++) {
      Calls.rename(from[i], to[i]);
    }
    double figure = perFile(start);
    named = 1 - named;
    return figure;
  }

  double unlink() throws IOException {
    long start = System.nanoTime();
    for (MemorySegment name : names[named]) {
      Calls.unlink(name);
    }
    double figure = perFile(start);
    isThere = false;
    return figure;
  }

  private double perFile(long start) {
    return (System.nanoTime() - start) / 1e3 / count();
  }
}
