package dev.hostshare.fileserver.settings;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.hostshare.fileserver.export.OwnerPolicy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A list of shares as both settings files have it. */
final class ShareJson {
  /** Each is a mount of its own in the guest, and a session of the server's 256. */
  static final int MAX_SHARES = 200;

  private ShareJson() {}

  /**
   * Reads the member {@code field} of {@code in}, a list of shares.
   *
   * @param defaultOwner of shares that name none
   */
  static List<SharedFolder> read(
      JsonDocument document, JsonNode in, String field, OwnerPolicy defaultOwner)
      throws SettingsException {
    List<SharedFolder> shares = new ArrayList<>();
    Set<java.nio.file.Path> paths = new HashSet<>();
    for (JsonNode element : document.array(in, field)) {
      ObjectNode share = document.object(element, in.get(field), "a share");
      if (shares.size() == MAX_SHARES) {
        throw document.problem(share, in, "there are more than " + MAX_SHARES + " shares");
      }
      SharedFolder folder = read(document, share, defaultOwner);
      if (!paths.add(folder.path())) {
        throw document.problem(share.get("path"), share, folder.path() + " is on the list twice");
      }
      shares.add(folder);
    }
    return shares;
  }

  private static SharedFolder read(
      JsonDocument document, ObjectNode share, OwnerPolicy defaultOwner) throws SettingsException {
    String field = "path";
    try {
      var path = SharedFolder.parsePath(document.string(share, field, null));
      field = "access";
      boolean readOnly = isReadOnly(document.string(share, field, "rw"));
      field = "owner";
      OwnerPolicy owner = owner(document, share, defaultOwner);
      boolean enabled = document.bool(share, "enabled", true);
      field = "note";
      return new SharedFolder(path, readOnly, owner, enabled, document.string(share, field, ""));
    } catch (IllegalArgumentException e) {
      throw document.problem(share.get(field), share, e.getMessage());
    }
  }

  static OwnerPolicy owner(JsonDocument document, ObjectNode in, OwnerPolicy absent)
      throws SettingsException {
    return in.has("owner") ? OwnerPolicy.parse(document.string(in, "owner", null)) : absent;
  }

  static boolean isReadOnly(String access) {
    return switch (access) {
      case "rw" -> false;
      case "ro" -> true;
      default ->
          throw new IllegalArgumentException(
              "access '" + SharedFolder.printable(access) + "' is neither rw nor ro");
    };
  }

  /** Writes a share over what was read of it: what is not known in it stays. */
  static void write(SharedFolder share, ObjectNode to) {
    to.put("path", share.path().toString());
    to.put("access", share.readOnly() ? "ro" : "rw");
    to.put("owner", share.owner().text());
    to.put("enabled", share.enabled());
    to.put("note", share.note());
  }
}
