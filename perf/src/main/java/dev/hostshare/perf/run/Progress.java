package dev.hostshare.perf.run;

import dev.hostshare.perf.sys.Calls;
import java.io.PrintStream;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Says what is being done: a bar with the time left on a terminal, lines elsewhere. */
public interface Progress extends AutoCloseable {
  int STANDARD_ERROR = 2;

  /** So many steps are to be done. */
  void start(int steps);

  /** Something begins. */
  void begin(String what);

  /** A step is done. */
  void step(String what);

  /** What the reader should know. */
  void tell(String sentence);

  @Override
  void close();

  /** Lines, each when something is done. */
  static Progress lines(PrintStream to) {
    return new Lines(to);
  }

  /** A bar. */
  static Progress bar() {
    return new Bar();
  }

  /** What fits what standard error is. */
  static Progress onStandardError() {
    return Calls.isTerminal(STANDARD_ERROR) ? bar() : lines(System.err);
  }

  /** See {@link #lines}. */
  final class Lines implements Progress {
    private final PrintStream to;

    private Lines(PrintStream to) {
      this.to = to;
    }

    @Override
    public void start(int steps) {}

    @Override
    public void begin(String what) {}

    @Override
    public void step(String what) {
      tell(what);
    }

    @Override
    public void tell(String sentence) {
      to.println("fsbench: " + sentence);
    }

    @Override
    public void close() {}
  }

  /** See {@link #bar}. Sentences are kept until the bar is gone, so that they stay to be read. */
  final class Bar implements Progress {
    private static final int UPDATE_MILLIS = 200;

    private final StringBuilder sentences = new StringBuilder();
    private ProgressBar bar;

    private Bar() {}

    @Override
    public void start(int steps) {
      System.err.print(sentences);
      sentences.setLength(0);
      bar =
          new ProgressBarBuilder()
              .setTaskName("fsbench")
              .setInitialMax(steps)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(UPDATE_MILLIS)
              .build();
    }

    @Override
    public void begin(String what) {
      if (bar != null) {
        bar.setExtraMessage(what);
      }
    }

    @Override
    public void step(String what) {
      bar.step();
    }

    @Override
    public void tell(String sentence) {
      if (bar == null) {
        System.err.println("fsbench: " + sentence);
      } else {
        sentences.append("fsbench: ").append(sentence).append('\n');
      }
    }

    @Override
    public void close() {
      if (bar != null) {
        bar.close();
        bar = null;
      }
      System.err.print(sentences);
    }
  }
}
