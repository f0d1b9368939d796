package dev.hostshare.test.system;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.List;
import java.util.function.Predicate;

/**
 * A process in a guest that looks at files when told to, within a fraction of a millisecond: to
 * start one for each look would take longer than what is to be measured.
 */
final class Observer implements AutoCloseable {
  /** One line in, one line out: what was seen, or the errno's name. */
  private static final String PROGRAM =
      """
      import errno, os, sys
      opened = {}
      def look(what, path):
          if what == 'stat':
              s = os.lstat(path)
              return '%o %d %d' % (s.st_mode, s.st_size, s.st_nlink)
          if what == 'read':
              with open(path) as f: return f.read()
          if what == 'list':
              return ' '.join(sorted(os.listdir(path)))
          if what == 'hold':
              opened[path] = os.open(path, os.O_RDONLY)
              return 'held'
          if what == 'held':
              return os.pread(opened[path], 4096, 0).decode()
          if what == 'drop':
              os.close(opened.pop(path))
              return 'dropped'
          if what == 'fstat':
              s = os.fstat(opened[path])
              return '%o %d %d' % (s.st_mode, s.st_size, s.st_nlink)
          if what == 'walk':
              return str(sum(len(d) + len(f) for _, d, f in os.walk(path)))
          if what == 'write':
              with open(path, 'w') as f: f.write('from the guest')
              return 'written'
      for line in sys.stdin:
          what, path = line.rstrip('\\n').split(' ', 1)
          try:
              print(repr(look(what, path)), flush=True)
          except OSError as e:
              print(repr(errno.errorcode[e.errno]), flush=True)
      """;

  private final Process process;
  private final Writer in;
  private final BufferedReader out;

  Observer(Guest guest) {
    try {
      process =
          guest
              .builder(List.of("python3", "-c", PROGRAM))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    in = process.outputWriter(UTF_8);
    out = process.inputReader(UTF_8);
  }

  /** What the guest sees now; a failure is the errno's name. */
  String look(String what, String path) {
    try {
      in.write(what + " " + path + "\n");
      in.flush();
      String line = out.readLine();
      if (line == null) {
        throw new AssertionError("the observer ended");
      }
      return line.substring(1, line.length() - 1).replace("\\n", "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Looks until the guest sees what it should.
   *
   * @return after how many milliseconds it did
   */
  long await(String what, String path, Predicate<String> expected, long limitMillis) {
    long begun = System.nanoTime();
    while (true) {
      String seen = look(what, path);
      long millis = (System.nanoTime() - begun) / 1_000_000;
      if (expected.test(seen)) {
        return millis;
      }
      if (millis > limitMillis) {
        throw new AssertionError(
            "after %d ms the guest still sees %s of %s as: %s".formatted(millis, what, path, seen));
      }
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
