package dev.hostshare.fileserver.export;

import static com.google.common.base.Preconditions.checkArgument;

/** Who owns an object of a share that has no record in the overlay. */
public sealed interface OwnerPolicy {

  /** The host's owner and group. */
  record Host() implements OwnerPolicy {}

  /** One user and group for everything. */
  record Fixed(int uid, int gid) implements OwnerPolicy {}

  /** Whoever asks. The server checks permissions, since no kernel can cache such an owner. */
  record Caller() implements OwnerPolicy {}

  /**
   * Of shares that name none. macOS users come from Docker Desktop, where whoever asks owns the
   * file.
   */
  static OwnerPolicy ofThisHost() {
    return System.getProperty("os.name").startsWith("Mac") ? new Caller() : new Host();
  }

  /**
   * Reads {@code host}, {@code caller} or {@code UID:GID}.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  static OwnerPolicy parse(String text) {
    return switch (text) {
      case "host" -> new Host();
      case "caller" -> new Caller();
      default -> parseFixed(text);
    };
  }

  private static Fixed parseFixed(String text) {
    String[] parts = text.split(":", -1);
    checkArgument(
        parts.length == 2, "owner '%s' is none of host, caller, UID:GID (1000:1000, say)", text);
    return new Fixed(id(text, parts[0]), id(text, parts[1]));
  }

  private static int id(String text, String digits) {
    try {
      int id = Integer.parseUnsignedInt(digits);
      checkArgument(id != -1, "owner '%s': 4294967295 is no user or group id", text);
      return id;
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "owner '" + text + "': '" + digits + "' is no number from 0 to 4294967294", e);
    }
  }

  /** As it is written on the command line. */
  default String text() {
    return switch (this) {
      case Host h -> "host";
      case Caller c -> "caller";
      case Fixed f -> Integer.toUnsignedString(f.uid()) + ":" + Integer.toUnsignedString(f.gid());
    };
  }
}
