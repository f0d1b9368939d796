package dev.hostshare.perf.machine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class MemoryTest {
  private static final long LENGTH = 256L << 20;

  @Test
  void isTouchedAndGivenBack() throws IOException {
    long before = status("VmRSS");
    Memory.warm(LENGTH);
    assertTrue(status("VmHWM") >= before + LENGTH * 9 / 10, "touched");
    assertTrue(status("VmRSS") < before + LENGTH / 2, "given back");
  }

  @Test
  void noneIsNothing() throws IOException {
    Memory.warm(0);
  }

  /** In bytes: proc(5). */
  private static long status(String field) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(line -> line.startsWith(field + ":"))
            .map(line -> line.replaceAll("\\D", ""))
            .mapToLong(Long::parseLong)
            .findFirst()
            .orElseThrow()
        * 1024;
  }
}
