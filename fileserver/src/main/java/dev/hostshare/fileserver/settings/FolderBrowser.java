package dev.hostshare.fileserver.settings;

import dev.hostshare.fileserver.settings.SettingsException.Reason;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Looks into folders for someone who chooses one to share, and nowhere else. Thread-safe. */
public final class FolderBrowser {
  static final int MAX_FOLDERS = 1000;

  private final SettingsStore.Config config;
  private final SettingsStore store;
  private final FolderCheck check;

  public FolderBrowser(SettingsStore.Config config, SettingsStore store) {
    this.config = config;
    this.store = store;
    this.check = new FolderCheck(config.state());
  }

  /**
   * The folders in a folder.
   *
   * @param path null: {@code folders} are those where one may begin
   * @param parent null if that may not be looked at
   * @param folders by name, at most 1,000
   * @param more whether there are more
   * @param refusal why this very folder cannot be shared; empty if it can
   */
  public record Folder(Path path, Path parent, List<Path> folders, boolean more, String refusal) {}

  /** Where one may begin: what an administrator allows, or home and the root. */
  public Folder roots() {
    AdminSettings admin = store.snapshot().admin();
    List<Path> roots = new ArrayList<>();
    if (admin.allowed() == null) {
      roots.add(config.home());
      roots.add(Path.of("/"));
    } else {
      admin.allowed().forEach(a -> roots.add(a.path()));
    }
    return new Folder(null, null, roots.stream().filter(Files::isDirectory).toList(), false, "");
  }

  /**
   * The folders in {@code path}, which has to be among what may be shared.
   *
   * @throws SettingsException if it may not be looked at, or cannot
   */
  public Folder list(Path path) throws SettingsException {
    AdminSettings admin = store.snapshot().admin();
    if (!mayLook(path, admin)) {
      throw new SettingsException(Reason.NOT_ALLOWED, admin.refusal(path));
    }
    Reach reach = store.reach();
    List<Path> folders = new ArrayList<>();
    boolean more = false;
    try (DirectoryStream<Path> entries =
        Files.newDirectoryStream(path, entry -> isOffered(entry, admin, reach))) {
      for (Path entry : entries) {
        if (folders.size() == MAX_FOLDERS) {
          more = true;
          break;
        }
        folders.add(entry);
      }
    } catch (NotDirectoryException e) {
      throw new SettingsException(Reason.UNAVAILABLE, path + " is no folder", e);
    } catch (DirectoryIteratorException e) {
      throw new SettingsException(Reason.UNAVAILABLE, path + " cannot be read", e);
    } catch (IOException e) {
      throw new SettingsException(
          Reason.UNAVAILABLE,
          path + (Files.exists(path) ? " cannot be read by this user" : " is not there"),
          e);
    }
    folders.sort(null);
    FolderCheck.Refusal refusal = refusal(path, admin, reach);
    Path parent = path.getParent();
    return new Folder(
        path,
        parent != null && mayLook(parent, admin) ? parent : null,
        folders,
        more,
        refusal == null ? "" : refusal.message());
  }

  private FolderCheck.Refusal refusal(Path path, AdminSettings admin, Reach reach) {
    return check.judge(store.initial(path), admin, reach).anyRefusal();
  }

  private boolean isOffered(Path entry, AdminSettings admin, Reach reach) {
    FolderCheck.Refusal refusal = refusal(entry, admin, reach);
    // One that cannot be shared itself may have folders that can, unless it never leads to one.
    return Files.isDirectory(entry) && (refusal == null || refusal.reason() == Reason.UNAVAILABLE);
  }

  private static boolean mayLook(Path path, AdminSettings admin) {
    try {
      return admin.allows(path.toRealPath());
    } catch (IOException e) {
      return admin.allows(path);
    }
  }
}
