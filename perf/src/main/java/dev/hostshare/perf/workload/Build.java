package dev.hostshare.perf.workload;

import dev.hostshare.perf.measure.Stopwatch;
import dev.hostshare.perf.measure.Unit;
import dev.hostshare.perf.sys.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A small project built from nothing: C by cc and make where they are, else Java by javac. */
final class Build {
  private static final int FILES = 40;
  private static final int FUNCTIONS = 8;

  /** What the built program says. */
  private static final String RESULT = Integer.toString(sum());

  private final Path root;
  private final Material material;
  private final boolean isC = Installed.has("cc") && Installed.has("make");
  private boolean isThere;

  private Build(Place place) {
    material = place.material();
    root = place.folder().resolve("project");
  }

  private static int sum() {
    return IntStream.range(0, FILES * FUNCTIONS).sum();
  }

  /** The family's workloads. */
  static List<Workload> workloads() {
    return List.of(
        Workload.named("build", "build a small C or Java project")
            .standsFor("compilers: many headers read, many outputs written")
            .in(Unit.SECONDS)
            .developer()
            .keeps(_ -> new Footprint("project", 8 << 20, 4 * FILES))
            .prepare(p -> at(p).prepare())
            .check(p -> at(p).check())
            .run((p, watch) -> at(p).build(watch)));
  }

  private static Build at(Place place) {
    return place.keep(Build.class, "build", Build::new);
  }

  private static Path jdk(String program) {
    return Path.of(System.getProperty("java.home"), "bin", program);
  }

  private void prepare() throws IOException {
    if (!isC && !Files.isExecutable(jdk("javac"))) {
      throw new UnavailableException("neither cc and make nor javac are installed");
    }
    if (!isThere) {
      Files.createDirectories(root.resolve("src"));
      if (isC) {
        writeC();
      } else {
        writeJava();
      }
      isThere = true;
    }
    Command.run("rm", "-rf", root.resolve("out").toString());
    Files.createDirectory(root.resolve("out"));
  }

  @SuppressWarnings("OrphanedFormatString") // it is C's
  private void writeC() throws IOException {
    var header =
        new StringBuilder("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n");
    for (int i = 0; i < FILES * FUNCTIONS; i++) {
      header.append("int f%d(void);\n".formatted(i));
    }
    write("all.h", header);
    for (int i = 0; i < FILES; i++) {
      var text = new StringBuilder("#include \"all.h\"\n");
      for (int k = 0; k < FUNCTIONS; k++) {
        int number = i * FUNCTIONS + k;
        text.append(
            "int f%d(void) { return (int) strtol(\"%d\", NULL, 10); }\n".formatted(number, number));
      }
      write("part%d.c".formatted(i), text);
    }
    write(
        "main.c",
        new StringBuilder("#include \"all.h\"\nint main(void) { printf(\"%d\\n\", ")
            .append(calls(""))
            .append("); return 0; }\n"));
    Files.writeString(
        root.resolve("Makefile"),
        """
        OBJECTS := $(patsubst src/%.c,out/%.o,$(wildcard src/*.c))
        out/program: $(OBJECTS)
        \tcc -o $@ $(OBJECTS)
        out/%.o: src/%.c src/all.h
        \tcc -O1 -c -o $@ $<
        """);
  }

  private void writeJava() throws IOException {
    for (int i = 0; i < FILES; i++) {
      var text = new StringBuilder("class Part%d {\n".formatted(i));
      for (int k = 0; k < FUNCTIONS; k++) {
        int number = i * FUNCTIONS + k;
        text.append(
            "  static int f%d() { return Integer.parseInt(\"%d\"); }\n".formatted(number, number));
      }
      write("Part%d.java".formatted(i), text.append("}\n"));
    }
    write(
        "Main.java",
        new StringBuilder("class Main { public static void main(String[] a) { System.out.println(")
            .append(calls("Part"))
            .append("); } }\n"));
  }

  private static String calls(String owner) {
    return IntStream.range(0, FILES * FUNCTIONS)
        .mapToObj(i -> owner.isEmpty() ? "f" + i + "()" : owner + i / FUNCTIONS + ".f" + i + "()")
        .collect(Collectors.joining(" + "));
  }

  private void write(String name, StringBuilder text) throws IOException {
    Files.writeString(root.resolve("src").resolve(name), text);
  }

  private void build(Stopwatch watch) throws IOException {
    List<String> line = new ArrayList<>();
    if (isC) {
      line.addAll(List.of("make", "-s", "-C", root.toString()));
      line.add("-j" + Runtime.getRuntime().availableProcessors());
    } else {
      line.addAll(List.of(jdk("javac").toString(), "-d", root.resolve("out").toString()));
      for (int i = 0; i < FILES; i++) {
        line.add(root.resolve("src/Part" + i + ".java").toString());
      }
      line.add(root.resolve("src/Main.java").toString());
    }
    long begin = watch.begin();
    Command.run(line);
    watch.end(begin);
  }

  /** From a copy in the scratch folder: the folder may be mounted noexec. */
  private void check() throws IOException {
    if (!isC) {
      String said =
          Command.run(jdk("java").toString(), "-cp", root.resolve("out").toString(), "Main");
      expect(said);
      return;
    }
    Path copy = Files.createTempFile(material.folder(), "fsbench", ".program");
    try {
      Command.run("cp", root.resolve("out/program").toString(), copy.toString());
      Command.run("chmod", "700", copy.toString());
      expect(Command.run(copy.toString()));
    } finally {
      Files.delete(copy);
    }
  }

  private void expect(String said) throws WrongDataException {
    if (!said.equals(RESULT)) {
      throw new WrongDataException(
          "the built program says %s instead of %s: %s".formatted(said, RESULT, root));
    }
  }
}
