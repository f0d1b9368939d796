package dev.hostshare.test.system;

import java.nio.file.Path;

/** A program that opens a session and says "welcome", or the status it was refused with. */
final class AttachProbe {
  private AttachProbe() {}

  public static void main(String[] arguments) {
    try (var client = RawClient.connect(Path.of(arguments[0]))) {
      client.send(RawClient.hello());
      System.out.println(client.awaitWelcomeOrEnd());
    }
  }
}
