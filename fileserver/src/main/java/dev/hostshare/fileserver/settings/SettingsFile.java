package dev.hostshare.fileserver.settings;

import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.settings.SettingsException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * {@code settings.json}: version 1 is {@code {"version": 1, "shares": [{"path": "/abs", "access":
 * "rw" or "ro", "owner": "host", "caller" or "UID:GID", "enabled": bool, "note": text}, ...]}}; of
 * a share, only the path has to be there. Members that are not known stay where they are. Not
 * thread-safe.
 */
final class SettingsFile {
  static final int VERSION = 1;

  /** 16 MiB: more than the longest list has with the longest paths and notes, all escaped. */
  static final int MAX_BYTES = 16 << 20;

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path path;
  private final OwnerPolicy defaultOwner;

  /**
   * What is in the file.
   *
   * @param bytes as they were read; null if there is no file
   * @param raw with what is not known in it
   */
  record Content(byte[] bytes, ObjectNode raw, List<SharedFolder> shares) {}

  /**
   * A share that is no longer in the file.
   *
   * @param index where on the list it was
   * @param raw with what is not known in it
   */
  record Removed(SharedFolder share, int index, ObjectNode raw) {}

  SettingsFile(Path path, OwnerPolicy defaultOwner) {
    this.path = path;
    this.defaultOwner = defaultOwner;
  }

  Path path() {
    return path;
  }

  /** The bytes of a settings file; null if there is none. */
  static byte[] bytes(Path file) throws SettingsException {
    try {
      // A FIFO or a device in its place would never end.
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        throw new SettingsException(Reason.BROKEN_FILE, file + " is no ordinary file");
      }
      try (var in = Files.newInputStream(file)) {
        byte[] bytes = in.readNBytes(MAX_BYTES + 1);
        if (bytes.length > MAX_BYTES) {
          throw new SettingsException(
              Reason.BROKEN_FILE, file + " has more than " + MAX_BYTES + " bytes");
        }
        return bytes;
      }
    } catch (NoSuchFileException e) {
      return null;
    } catch (SettingsException e) {
      throw e;
    } catch (IOException e) {
      throw new SettingsException(Reason.BROKEN_FILE, "cannot read " + file + ": " + reason(e), e);
    }
  }

  /** Reads the file; null if there is none. */
  Content read() throws SettingsException {
    byte[] bytes = bytes(path);
    if (bytes == null) {
      return null;
    }
    JsonDocument document = JsonDocument.parse(path.toString(), bytes);
    ObjectNode raw = document.root();
    JsonNode version = raw.get("version");
    if (version == null || !version.canConvertToExactIntegral() || !version.canConvertToInt()) {
      throw document.problem(
          version, raw, "\"version\" has to be a number; it is " + VERSION + " now");
    }
    if (version.intValue() != VERSION) {
      throw document.problem(
          version,
          raw,
          "version "
              + version.intValue()
              + " is not known to this release, which writes version "
              + VERSION);
    }
    return new Content(bytes, raw, ShareJson.read(document, raw, "shares", defaultOwner));
  }

  /**
   * Writes the list, as a whole or not at all; on the disk when this returns.
   *
   * @param before what was read last; null for a new file
   * @throws SettingsException if it cannot be, or is another meanwhile
   */
  Content write(Content before, List<SharedFolder> shares) throws SettingsException {
    ObjectNode raw =
        before == null ? JsonNodeFactory.instance.objectNode() : before.raw().deepCopy();
    raw.put("version", VERSION);
    Map<Path, ObjectNode> known = new HashMap<>();
    if (raw.get("shares") instanceof ArrayNode old) {
      old.forEach(
          s -> known.put(SharedFolder.parsePath(s.get("path").textValue()), (ObjectNode) s));
    }
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    for (SharedFolder share : shares) {
      ObjectNode node = known.getOrDefault(share.path(), JsonNodeFactory.instance.objectNode());
      ShareJson.write(share, node);
      list.add(node);
    }
    raw.set("shares", list);
    try {
      byte[] bytes = text(raw);
      if (bytes.length > MAX_BYTES) {
        throw new SettingsException(
            Reason.INVALID,
            path
                + " would have more than "
                + MAX_BYTES
                + " bytes; nothing was changed: remove shares, or what else is in it");
      }
      byte[] now = before == null ? null : bytes(path);
      if (now != null && !Arrays.equals(before.bytes(), now)) {
        throw new SettingsException(
            Reason.BROKEN_FILE,
            path + " was changed by others this very moment; nothing was changed here: try again");
      }
      replace(bytes);
      return new Content(bytes, raw, List.copyOf(shares));
    } catch (IOException e) {
      throw new SettingsException(
          Reason.BROKEN_FILE,
          "cannot write " + path + ": " + reason(e) + "; nothing was changed",
          e);
    }
  }

  /** What is needed to put {@code share} back into what is left of {@code content} without it. */
  static Removed removed(Content content, SharedFolder share) {
    int index = content.shares().indexOf(share);
    return new Removed(share, index, (ObjectNode) content.raw().get("shares").get(index));
  }

  /** The content with a removed share in its old place, or at the end of a shorter list. */
  static Content with(Content content, Removed removed) {
    int index = Math.min(removed.index(), content.shares().size());
    ObjectNode raw = content.raw().deepCopy();
    ((ArrayNode) raw.get("shares")).insert(index, removed.raw());
    List<SharedFolder> shares = new ArrayList<>(content.shares());
    shares.add(index, removed.share());
    return new Content(content.bytes(), raw, shares);
  }

  private static byte[] text(ObjectNode raw) throws IOException {
    DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
    printer.indentArraysWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE);
    String text = MAPPER.writer(printer).writeValueAsString(raw);
    return (text + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  /** A new file takes the old one's place, through a link that people keep in its place, too. */
  private void replace(byte[] bytes) throws IOException {
    Path target = Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? path.toRealPath() : path;
    Path fresh = target.resolveSibling("." + target.getFileName() + ".new");
    Files.deleteIfExists(fresh); // left by a process that was killed
    try (FileChannel out =
        FileChannel.open(
            fresh,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      while (buffer.hasRemaining()) {
        out.write(buffer);
      }
      out.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(fresh);
      throw e;
    }
    Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel folder = FileChannel.open(target.getParent(), StandardOpenOption.READ)) {
      folder.force(true);
    }
  }

  private static String reason(IOException e) {
    return switch (e) {
      case java.nio.file.AccessDeniedException denied -> "permission denied";
      case java.nio.file.FileSystemException f when f.getReason() != null -> f.getReason();
      default -> e.getMessage();
    };
  }
}
