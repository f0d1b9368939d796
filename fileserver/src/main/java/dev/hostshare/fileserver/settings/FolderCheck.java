package dev.hostshare.fileserver.settings;

import dev.hostshare.fileserver.settings.SettingsException.Reason;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;

/** Whether a folder can be shared, as it is now. */
final class FolderCheck {
  /** The kernel's own file systems: no data, and handles on other processes. */
  private static final List<Path> SYSTEM =
      List.of(Path.of("/proc"), Path.of("/sys"), Path.of("/dev"));

  private final Path state;
  private final List<Path> linksToState;

  /** {@code state}: the state folder. */
  FolderCheck(Path state) {
    Way way;
    try {
      way = Way.of(state);
    } catch (IOException e) {
      way = new Way(state, List.of()); // it is not there: nobody can share what is in it
    }
    this.state = way.end();
    this.linksToState = way.links();
  }

  /**
   * Why a folder is not shared.
   *
   * @param message names the folder and what to do
   */
  record Refusal(Reason reason, String message) {}

  /**
   * What was found out of a folder.
   *
   * @param folder where the path leads, free of symbolic links; null if it is refused, or if that
   *     cannot be found out just now
   * @param refusal null if there is none
   * @param trouble why nothing can be found out just now; null if something can
   */
  record Judgement(Path folder, Refusal refusal, Refusal trouble) {
    private static Judgement refused(Reason reason, String message) {
      return new Judgement(null, new Refusal(reason, message), null);
    }

    /** Why it cannot be shared anew; null if it can. */
    Refusal anyRefusal() {
      return refusal == null ? trouble : refusal;
    }
  }

  /**
   * Judges a folder.
   *
   * @param reach what guests can change while it is shared
   */
  Judgement judge(SharedFolder share, AdminSettings admin, Reach reach) {
    Path path = share.path();
    if (path.getNameCount() == 0) {
      return Judgement.refused(
          Reason.INVALID, "/ cannot be shared: share the folders in it that guests need");
    }
    Refusal system = systemRefusal(path, path);
    if (system != null) {
      return new Judgement(null, system, null);
    }
    Way way;
    try {
      way = Way.of(path);
    } catch (NoSuchFileException e) {
      String link =
          Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? " leads nowhere" : " is not there";
      return Judgement.refused(
          Reason.UNAVAILABLE,
          path + link + ": make the folder first, or look for a slip in its name");
    } catch (AccessDeniedException | NotDirectoryException | FileSystemLoopException e) {
      return Judgement.refused(
          Reason.UNAVAILABLE,
          path + " cannot be reached by this user: " + e.getClass().getSimpleName());
    } catch (IOException e) {
      String why = path + " cannot be looked at: " + e.getMessage();
      return new Judgement(null, null, new Refusal(Reason.UNAVAILABLE, why));
    }
    Refusal refusal = refusal(path, way.end(), admin);
    if (refusal == null) {
      refusal = linkRefusal(share, way, reach);
    }
    return new Judgement(refusal == null ? way.end() : null, refusal, null);
  }

  /** Who can make another link of one that a share goes through decides what is shared. */
  private Refusal linkRefusal(SharedFolder share, Way way, Reach reach) {
    for (Path link : way.links()) {
      Path holder = reach.holding(link);
      if (holder != null) {
        return new Refusal(
            Reason.INVALID,
            share.path()
                + " goes through the link "
                + link
                + ", which guests can change, since it lies in the share "
                + holder
                + ": share "
                + way.end()
                + " instead");
      }
    }
    for (Path link : linksToState) {
      if (!share.readOnly() && link.startsWith(way.end())) {
        return new Refusal(
            Reason.INVALID,
            share.path()
                + " has the link "
                + link
                + " in it, which leads to the server's own state, and which guests could change:"
                + " start the server with --state "
                + state);
      }
    }
    return null;
  }

  private Refusal refusal(Path path, Path real, AdminSettings admin) {
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
    if (real.startsWith(state)) {
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
}
