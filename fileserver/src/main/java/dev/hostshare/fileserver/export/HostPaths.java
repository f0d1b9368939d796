package dev.hostshare.fileserver.export;

import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.fileserver.overlay.Place;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Files by host path, for the command line: the user names them, so symlinks above the last
 * component are followed. Never used for a guest's request. Thread-safe.
 */
public final class HostPaths {
  private static final int SEEK_SET = 0;

  private final HostFs host;
  private final Volumes volumes;

  public HostPaths(HostFs host, Volumes volumes) {
    this.host = host;
    this.volumes = volumes;
  }

  /** A file as it was found. */
  public record Found(Place place, HostStat stat, FileId id) {}

  /** What is done with each file of a tree. */
  public interface Visitor {
    void visit(Found file) throws ErrnoException;

    /** This folder, which was visited, may not be read: what is below it is not seen. */
    default void unreadable(Found folder) {}
  }

  /** The file at an absolute path; ENOENT if there is none. */
  public Found find(Path path) throws ErrnoException {
    Path name = path.getFileName();
    if (!path.isAbsolute() || name == null) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    int dir = host.openNamed(path.getParent());
    try {
      HostStat stat = host.stat(dir, HostFs.SELF);
      FileId parent = volumes.identify(stat, dir, HostFs.SELF);
      return found(dir, parent, bytes(name), path.toString());
    } finally {
      host.close(dir);
    }
  }

  private Found found(int dir, FileId parent, byte[] name, String path) throws ErrnoException {
    HostStat stat = host.stat(dir, name);
    return new Found(new Place(parent, name, path), stat, volumes.identify(stat, dir, name));
  }

  /** The file and, if it is a directory, all below it; symlinks are not followed. */
  public void walk(Path path, Visitor visitor) throws ErrnoException {
    Found top = find(path);
    visitor.visit(top);
    if (top.stat().isDirectory()) {
      int dir = host.openNamed(path.getParent());
      try {
        walkBelow(dir, top, visitor);
      } finally {
        host.close(dir);
      }
    }
  }

  private void walkBelow(int parent, Found directory, Visitor visitor) throws ErrnoException {
    int fd;
    try {
      fd = host.open(parent, directory.place().name(), Linux.O_RDONLY | Linux.O_DIRECTORY, 0);
    } catch (ErrnoException e) {
      if (e.errno() == Errno.EACCES) {
        visitor.unreadable(directory);
        return;
      }
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ELOOP) {
        return; // gone meanwhile
      }
      throw e;
    }
    try {
      List<byte[]> names = new ArrayList<>();
      host.seek(fd, 0, SEEK_SET);
      boolean more = true;
      while (more) {
        names.clear(); // a folder may have a million
        more = host.readDirectory(fd, e -> names.add(e.name()));
        for (byte[] name : names) {
          visitBelow(fd, directory, name, visitor);
        }
      }
    } finally {
      host.close(fd);
    }
  }

  private void visitBelow(int fd, Found directory, byte[] name, Visitor visitor)
      throws ErrnoException {
    Found found;
    try {
      String path = directory.place().path() + "/" + new String(name, StandardCharsets.UTF_8);
      found = found(fd, directory.id(), name, path);
    } catch (ErrnoException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ESTALE) {
        return;
      }
      throw e;
    }
    visitor.visit(found);
    if (found.stat().isDirectory()) {
      walkBelow(fd, found, visitor);
    }
  }

  private static byte[] bytes(Path name) {
    return name.toString().getBytes(StandardCharsets.UTF_8);
  }
}
