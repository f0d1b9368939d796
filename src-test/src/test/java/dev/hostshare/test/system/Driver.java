package dev.hostshare.test.system;

/** How the guest comes to see the host's folder. */
public enum Driver {
  /** The FUSE kernel protocol, spoken by the agent itself. */
  KERNEL,
  /** jnr-fuse over libfuse 2. */
  JNR,
  /** No server and no agent: the folder itself, to test the tests. */
  PLAIN;

  /** KERNEL unless {@code -Dhostshare.test.driver} says otherwise. */
  public static Driver selected() {
    return valueOf(
        System.getProperty("hostshare.test.driver", "kernel").toUpperCase(java.util.Locale.ROOT));
  }

  /** The value of the agent's {@code --driver}. */
  String option() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
