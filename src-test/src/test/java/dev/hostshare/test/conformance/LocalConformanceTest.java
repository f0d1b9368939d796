package dev.hostshare.test.conformance;

import static java.nio.file.attribute.PosixFilePermissions.fromString;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** The suite on a plain folder of this machine: tests the tests. */
@EnabledIfSystemProperty(
    named = "user.name",
    matches = "root",
    disabledReason = "playing several users needs root")
class LocalConformanceTest extends ConformanceTest {
  @TempDir static Path folder;

  @BeforeAll
  static void letAllIn() throws IOException {
    Files.setPosixFilePermissions(folder, fromString("rwxr-xr-x"));
  }

  @Override
  String folder() {
    return folder.toString();
  }

  @Override
  Optional<Path> namespace() {
    return Optional.empty();
  }
}
