package dev.hostshare.test.conformance;

import dev.hostshare.test.system.Driver;
import dev.hostshare.test.system.Lab;
import dev.hostshare.test.system.SystemTest;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

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

  @Override
  String folder() {
    return lab.mnt();
  }

  @Override
  Optional<Path> namespace() {
    return Optional.of(lab.guest().mountNamespace());
  }
}
