package dev.hostshare.test.conformance;

import dev.hostshare.test.system.Driver;

/** The suite on a mount by the agent's own FUSE driver. */
class KernelDriverConformanceTest extends MountedConformanceTest {
  KernelDriverConformanceTest() {
    super(Driver.KERNEL);
  }
}
