package dev.hostshare.agent;

import dev.hostshare.agent.cli.AgentCommand;

/** Entry point of {@code hostshare-agent}. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(AgentCommand.execute(args));
  }
}
