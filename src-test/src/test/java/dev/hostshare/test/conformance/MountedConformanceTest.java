package dev.hostshare.test.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.test.system.Driver;
import dev.hostshare.test.system.Installation;
import dev.hostshare.test.system.Lab;
import dev.hostshare.test.system.SystemTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The suite in a guest's mount of a folder that an unprivileged server shares. */
@SystemTest
abstract class MountedConformanceTest extends ConformanceTest {
  private final Driver driver;
  private Lab lab;

  MountedConformanceTest(Driver driver) {
    this.driver = driver;
  }

  @BeforeAll
  void mount() {
    lab = Lab.start(driver, "");
  }

  @AfterAll
  void unmount() {
    if (lab != null) {
      lab.close();
    }
  }

  /** With the line of docs/semantics.md that tells users. */
  @Override
  Map<String, String> limits() {
    return Map.of();
  }

  @Test
  void limitsAreDocumented() throws IOException {
    var documented = Files.readString(Installation.PROJECT.resolve("docs/semantics.md"));
    limits().values().forEach(line -> assertTrue(documented.contains(line), line));
  }

  @Override
  String folder() {
    return lab.mnt();
  }

  @Override
  Optional<Path> namespace() {
    return Optional.of(lab.guest().mountNamespace());
  }
}
