package dev.hostshare.fileserver.settings;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.hostshare.fileserver.export.OwnerPolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What the administrator of the machine has laid down, in the form of Docker Desktop's {@code
 * admin-settings.json}, of which only these members are looked at:
 *
 * <pre>
 * {"configurationFileVersion": 2,
 *  "filesharingAllowedDirectories": [{"path": "$HOME", "sharedByDefault": true}],
 *  "shares": {"locked": true, "value": [{"path": "/srv/work", "access": "ro"}]},
 *  "access": {"locked": true, "value": "ro"},
 *  "owner":  {"locked": true, "value": "host"}}
 * </pre>
 *
 * The last three are hostshare's own. Locked, a value is in force whatever the user's list says;
 * not locked, it is what the user's list begins with.
 *
 * @param file where it is, or would be
 * @param present whether there is one
 * @param allowed only these folders, and what is in them, may be shared; null: all may
 * @param shares null if it says nothing of them; so are access and owner
 */
public record AdminSettings(
    Path file,
    boolean present,
    List<Allowed> allowed,
    Value<List<SharedFolder>> shares,
    Value<Boolean> readOnly,
    Value<OwnerPolicy> owner) {

  /** Where the file is, by the system's rules. */
  public static final Path FILE =
      System.getProperty("os.name").startsWith("Mac")
          ? Path.of("/Library/Application Support/hostshare/admin-settings.json")
          : Path.of("/etc/hostshare/admin-settings.json");

  private static final int VERSION = 2;

  /** A folder that may be shared, with all in it. */
  public record Allowed(Path path, boolean sharedByDefault) {}

  /** A value, and whether the user may choose another. */
  public record Value<T>(T value, boolean locked) {}

  static AdminSettings none(Path file) {
    return new AdminSettings(file, false, null, null, null, null);
  }

  /**
   * Reads the file.
   *
   * @param home what {@code $HOME} stands for
   * @throws SettingsException if there is one, and it makes no sense
   */
  static AdminSettings read(Path file, Path home, OwnerPolicy defaultOwner)
      throws SettingsException {
    byte[] bytes = SettingsFile.bytes(file);
    if (bytes == null) {
      return none(file);
    }
    JsonDocument document = JsonDocument.parse(file.toString(), bytes);
    ObjectNode root = document.root();
    JsonNode version = root.get("configurationFileVersion");
    if (version != null && !(version.isIntegralNumber() && version.intValue() == VERSION)) {
      throw document.problem(version, root, "\"configurationFileVersion\" has to be " + VERSION);
    }
    Value<OwnerPolicy> owner =
        value(document, root, "owner", in -> OwnerPolicy.parse(document.string(in, "value", null)));
    return new AdminSettings(
        file,
        true,
        root.has("filesharingAllowedDirectories") ? allowed(document, root, home) : null,
        value(document, root, "shares", in -> ShareJson.read(document, in, "value", defaultOwner)),
        value(
            document,
            root,
            "access",
            in -> ShareJson.isReadOnly(document.string(in, "value", null))),
        owner);
  }

  private static List<Allowed> allowed(JsonDocument document, ObjectNode root, Path home)
      throws SettingsException {
    String field = "filesharingAllowedDirectories";
    List<Allowed> allowed = new ArrayList<>();
    for (JsonNode element : document.array(root, field)) {
      ObjectNode folder = document.object(element, root.get(field), "an allowed directory");
      String text = document.string(folder, "path", null);
      try {
        allowed.add(
            new Allowed(
                SharedFolder.parsePath(expand(text, home)),
                document.bool(folder, "sharedByDefault", false)));
      } catch (IllegalArgumentException e) {
        throw document.problem(folder.get("path"), folder, e.getMessage());
      }
    }
    return List.copyOf(allowed);
  }

  /** {@code $HOME}, {@code ${HOME}} and {@code ~} at the beginning stand for the user's home. */
  private static String expand(String text, Path home) {
    for (String sign : List.of("$HOME", "${HOME}", "~")) {
      if (text.equals(sign) || text.startsWith(sign + "/")) {
        return home + text.substring(sign.length());
      }
    }
    return text;
  }

  private interface Read<T> {
    T from(ObjectNode in) throws SettingsException;
  }

  private static <T> Value<T> value(
      JsonDocument document, ObjectNode root, String field, Read<T> read) throws SettingsException {
    if (!root.has(field)) {
      return null;
    }
    ObjectNode in = document.object(root.get(field), root, "\"" + field + "\"");
    boolean locked = document.bool(in, "locked", false);
    try {
      return new Value<>(read.from(in), locked);
    } catch (IllegalArgumentException e) {
      throw document.problem(in.get("value"), in, e.getMessage());
    }
  }

  public boolean listLocked() {
    return shares != null && shares.locked();
  }

  public boolean accessLocked() {
    return readOnly != null && readOnly.locked();
  }

  public boolean ownerLocked() {
    return owner != null && owner.locked();
  }

  /** A share as it is where nothing more is said of it. */
  public SharedFolder initial(Path path, OwnerPolicy defaultOwner) {
    return new SharedFolder(
        path,
        readOnly != null && readOnly.value(),
        owner == null ? defaultOwner : owner.value(),
        true,
        "");
  }

  /** Whether a folder may be shared. {@code real}: without symbolic links. */
  boolean allows(Path real) {
    return allowed == null || allowed.stream().anyMatch(a -> real.startsWith(real(a.path())));
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path; // not there: nothing is in it, either
    }
  }

  /** Why a folder may not be shared, and what may. */
  String refusal(Path path) {
    String folders = String.join(", ", allowed.stream().map(a -> a.path().toString()).toList());
    return path
        + " may not be shared: the administrator of this machine allows "
        + (folders.isEmpty()
            ? "no folder"
            : "only " + folders + " and the folders in " + (allowed.size() == 1 ? "it" : "them"))
        + " ("
        + file
        + ")";
  }
}
