package dev.hostshare.fileserver;

import dev.hostshare.fileserver.cli.HostShareCommand;

/** The program {@code hostshare}. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    HostShareCommand.run(args);
  }
}
