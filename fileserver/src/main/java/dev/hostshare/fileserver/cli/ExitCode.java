package dev.hostshare.fileserver.cli;

/**
 * The code with which the process ends. A JVM that gets SIGTERM runs its shutdown hooks and then
 * ends with 143; a server that was asked to end and did so cleanly is to say 0.
 */
final class ExitCode {
  private static volatile int code;

  private ExitCode() {}

  static void set(int value) {
    code = value;
  }

  /** From a shutdown hook, when all is done. */
  static void halt() {
    Runtime.getRuntime().halt(code);
  }
}
