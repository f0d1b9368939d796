package dev.hostshare.test.conformance;

import dev.hostshare.test.system.Driver;

/** The suite on a mount by jnr-fuse. */
class JnrDriverConformanceTest extends MountedConformanceTest {
  JnrDriverConformanceTest() {
    super(Driver.JNR);
  }
}
