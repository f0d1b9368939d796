package dev.hostshare.fileserver.cli;

import dev.hostshare.fileserver.web.SettingsPage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** The settings page, for as long as the process lives. */
final class SettingsProcess {
  private SettingsProcess() {}

  /**
   * Serves the page until the process is ended.
   *
   * @param browser whether to open one, if there is a desktop
   * @throws IOException if it cannot be served, with a message for the user
   */
  static void run(Path state, int port, boolean browser) throws IOException, InterruptedException {
    LiveList list = new LiveList(state);
    SettingsPage page;
    try {
      page = new SettingsPage(list, port);
    } catch (IOException e) {
      list.close();
      throw e;
    }
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  page.close();
                  list.close();
                  ExitCode.halt();
                },
                "shutdown"));
    String link = print(page);
    if (browser) {
      openBrowser(link);
    }
    printMore(page);
    new CountDownLatch(1).await();
  }

  private static String print(SettingsPage page) {
    String link = page.newLink();
    System.out.println("hostshare: settings at " + link);
    System.out.flush();
    return link;
  }

  /**
   * A link opens one browser only: each line of input asks for another, until there are no more.
   */
  private static void printMore(SettingsPage page) throws IOException {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
    while (in.readLine() != null) {
      print(page);
    }
  }

  private static void openBrowser(String link) {
    boolean mac = System.getProperty("os.name").startsWith("Mac");
    if (!mac && System.getenv("DISPLAY") == null && System.getenv("WAYLAND_DISPLAY") == null) {
      return;
    }
    try {
      new ProcessBuilder(mac ? "open" : "xdg-open", link)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      System.err.println("hostshare settings: no browser was opened: " + e.getMessage());
    }
  }
}
