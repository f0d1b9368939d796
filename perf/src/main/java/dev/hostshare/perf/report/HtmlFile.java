package dev.hostshare.perf.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * A report as one page that loads nothing: the report's JSON, and a script that draws it, see
 * report.html among the resources.
 */
public final class HtmlFile {
  private static final String PLACE = "/*REPORT*/null";

  private HtmlFile() {}

  /** Writes it, or leaves what was there. */
  public static void write(Report report, Path file) throws IOException {
    JsonFile.replace(file, page(report));
  }

  static String page(Report report) throws IOException {
    try (InputStream in = HtmlFile.class.getResourceAsStream("report.html")) {
      String template = new String(in.readAllBytes(), UTF_8);
      return template.replace(PLACE, JsonFile.line(report));
    }
  }
}
