package dev.hostshare.fileserver.settings;

import dev.hostshare.fileserver.settings.SettingsException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Whether a folder can be shared, as it is now. */
final class FolderCheck {
  /** The kernel's own file systems: no data, and handles on other processes. */
  private static final List<Path> SYSTEM =
      List.of(Path.of("/proc"), Path.of("/sys"), Path.of("/dev"));

  private final Path state;

  /** {@code state}: the state folder. */
  FolderCheck(Path state) {
    this.state = state;
  }

  /**
   * Why a folder is not shared.
   *
   * @param message names the folder and what to do
   */
  record Refusal(Reason reason, String message) {}

  /** Why the folder cannot be shared; null if it can. */
  Refusal refusal(Path path, AdminSettings admin) {
    if (path.getNameCount() == 0) {
      return new Refusal(
          Reason.INVALID, "/ cannot be shared: share the folders in it that guests need");
    }
    Path real;
    try {
      Refusal system = systemRefusal(path, path);
      if (system != null) {
        return system;
      }
      real = path.toRealPath();
    } catch (NoSuchFileException e) {
      String link =
          Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? " leads nowhere" : " is not there";
      return new Refusal(
          Reason.UNAVAILABLE,
          path + link + ": make the folder first, or look for a slip in its name");
    } catch (IOException e) {
      return new Refusal(
          Reason.UNAVAILABLE,
          path + " cannot be reached by this user: " + e.getClass().getSimpleName());
    }
    Refusal system = systemRefusal(path, real);
    if (system != null) {
      return system;
    }
    if (real.getNameCount() == 0) {
      return new Refusal(Reason.INVALID, path + " leads to /, which cannot be shared");
    }
    if (!Files.isDirectory(real)) {
      return new Refusal(
          Reason.UNAVAILABLE, path + " is no folder: share the folder that it is in");
    }
    if (isState(real)) {
      return new Refusal(
          Reason.INVALID,
          path + " is in the server's own state folder, which guests must not reach");
    }
    if (!admin.allows(real)) {
      return new Refusal(Reason.NOT_ALLOWED, admin.refusal(path));
    }
    if (!Files.isReadable(real) || !Files.isExecutable(real)) {
      return new Refusal(
          Reason.UNAVAILABLE,
          path
              + " cannot be read by "
              + System.getProperty("user.name")
              + ", as whom the server runs");
    }
    return null;
  }

  private static Refusal systemRefusal(Path named, Path path) {
    for (Path system : SYSTEM) {
      if (path.startsWith(system)) {
        return new Refusal(
            Reason.INVALID,
            named + " cannot be shared: " + system + " is the kernel's, not a folder of files");
      }
    }
    return null;
  }

  private boolean isState(Path real) {
    try {
      return real.startsWith(state.toRealPath());
    } catch (IOException e) {
      return real.startsWith(state);
    }
  }
}
