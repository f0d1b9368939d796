package dev.hostshare.perf.report;

import com.google.common.collect.ImmutableSet;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Reports as files. */
public final class JsonFile {
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

  private static final Gson FOR_HTML = new Gson();

  /** Fields that are left out where there is no value. */
  private static final ImmutableSet<String> OPTIONAL =
      ImmutableSet.of(
          "rate",
          "peer",
          "cold",
          "median",
          "spread",
          "interval",
          "ratio",
          "latency",
          "failure",
          "skipped",
          "errno",
          "path");

  private JsonFile() {}

  /** The whole report as one line, for HTML: what would end a script there is escaped. */
  static String line(Report report) {
    return FOR_HTML.toJson(report);
  }

  /** Writes it, or leaves what was there. */
  public static void write(Report report, Path file) throws IOException {
    replace(file, GSON.toJson(report) + "\n");
  }

  /** Writes a file whole, or leaves what was there. */
  static void replace(Path file, String text) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    Files.writeString(part, text);
    Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Reads one.
   *
   * @throws IOException if it cannot be read, or is not a report, or one of another version, or
   *     without a field that every report has
   */
  public static Report read(Path file) throws IOException {
    String text;
    try {
      text = Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new IOException("there is no file " + file, e);
    }
    try {
      JsonObject object = JsonParser.parseString(text).getAsJsonObject();
      if (!object.has("schemaVersion") || !object.has("workloads")) {
        throw new IOException(file + " is not a report of fsbench");
      }
      int version = object.get("schemaVersion").getAsInt();
      if (version != Report.VERSION) {
        throw new IOException(
            "%s has schema version %d; this fsbench reads version %d"
                .formatted(file, version, Report.VERSION));
      }
      check(object, Report.class, "", file);
      return GSON.fromJson(object, Report.class);
    } catch (JsonParseException | IllegalStateException | NumberFormatException e) {
      throw new IOException(file + " is not a report of fsbench: " + e.getMessage(), e);
    }
  }

  /** Gson makes a null or a 0 of what is missing. */
  private static void check(JsonElement element, Type type, String where, Path file)
      throws IOException {
    if (type instanceof ParameterizedType list && element instanceof JsonArray array) {
      for (int i = 0; i < array.size(); i++) {
        check(array.get(i), list.getActualTypeArguments()[0], "%s[%d]".formatted(where, i), file);
      }
    } else if (type instanceof Class<?> record
        && record.isRecord()
        && element instanceof JsonObject object) {
      for (RecordComponent field : record.getRecordComponents()) {
        String name = where.isEmpty() ? field.getName() : where + "." + field.getName();
        JsonElement value = object.get(field.getName());
        if (value != null && !value.isJsonNull()) {
          check(value, field.getGenericType(), name, file);
        } else if (!OPTIONAL.contains(field.getName())) {
          throw new IOException("%s is not a whole report: %s is missing".formatted(file, name));
        }
      }
    }
  }
}
