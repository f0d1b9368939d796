package dev.hostshare.fileserver.settings;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The shared folders of a Docker Desktop settings file: {@code filesharingDirectories} in {@code
 * settings.json}, {@code FilesharingDirectories} in the {@code settings-store.json} of later
 * releases.
 */
final class DockerSettings {
  private static final String MEMBER = "filesharingDirectories";

  private DockerSettings() {}

  /**
   * The folders as they are written there.
   *
   * @throws SettingsException if the text is none of those files
   */
  static List<String> folders(String text) throws SettingsException {
    JsonDocument document = JsonDocument.parse("the Docker Desktop settings", text);
    ObjectNode root = document.root();
    for (Map.Entry<String, JsonNode> member : root.properties()) {
      if (member.getKey().equalsIgnoreCase(MEMBER)) {
        List<String> folders = new ArrayList<>();
        for (JsonNode folder : document.array(root, member.getKey())) {
          if (!folder.isTextual()) {
            throw document.problem(folder, member.getValue(), "a shared folder has to be a text");
          }
          folders.add(folder.textValue());
        }
        return folders;
      }
    }
    throw new SettingsException(
        SettingsException.Reason.INVALID,
        "the Docker Desktop settings have no member \"" + MEMBER + "\": nothing to import");
  }
}
