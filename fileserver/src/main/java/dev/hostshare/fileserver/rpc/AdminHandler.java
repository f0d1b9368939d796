package dev.hostshare.fileserver.rpc;

import com.google.protobuf.ByteString;
import dev.hostshare.fileserver.export.HostPaths;
import dev.hostshare.fileserver.export.OverlayAudit;
import dev.hostshare.fileserver.export.Volumes;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.fileserver.overlay.RecordChange;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.AdminServiceGrpc;
import dev.hostshare.proto.v1.OverlayChange;
import dev.hostshare.proto.v1.OverlayCount;
import dev.hostshare.proto.v1.OverlayFinding;
import dev.hostshare.proto.v1.OverlayPath;
import dev.hostshare.proto.v1.OverlayRecord;
import dev.hostshare.proto.v1.OverlayXattr;
import dev.hostshare.proto.v1.StatusReply;
import dev.hostshare.proto.v1.StatusRequest;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.StreamObserver;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** {@code AdminService}: what the command line asks, of a running server or of the store alone. */
public final class AdminHandler extends AdminServiceGrpc.AdminServiceImplBase {
  private static final long MAX_ID = 0xffff_fffeL;

  private final OverlayStore overlay;
  private final Consumer<FileId> changed;
  private final HostPaths paths;
  private final OverlayAudit audit;
  private final Supplier<StatusReply> status;

  /**
   * The service.
   *
   * @param changed told of each file whose record was changed
   */
  public AdminHandler(
      HostFs host, OverlayStore overlay, Consumer<FileId> changed, Supplier<StatusReply> status) {
    this.overlay = overlay;
    this.changed = changed;
    this.paths = new HostPaths(host, new Volumes(host, overlay));
    this.audit = new OverlayAudit(overlay, paths);
    this.status = status;
  }

  private interface Call {
    void run() throws ErrnoException, StatusException;
  }

  /** Runs a call and tells its failure in words. */
  private static void answer(StreamObserver<?> out, String path, Call call) {
    try {
      call.run();
    } catch (StatusException e) {
      out.onError(e);
      return;
    } catch (InvalidPathException e) {
      out.onError(invalid("'" + path + "' is no path: " + e.getReason()));
      return;
    } catch (ErrnoException e) {
      Status code =
          switch (e.errno()) {
            case Errno.ENOENT, Errno.ENOTDIR -> Status.NOT_FOUND;
            case Errno.EINVAL -> Status.INVALID_ARGUMENT;
            default -> Status.FAILED_PRECONDITION;
          };
      String reason =
          switch (e.errno()) {
            case Errno.ENOENT, Errno.ENOTDIR -> "there is no such file on the host";
            case Errno.EINVAL -> "an absolute path of a file is needed";
            case Errno.EACCES -> "the server's user may not look there";
            default -> e.getMessage();
          };
      out.onError(code.withDescription(path + ": " + reason).asException());
      return;
    }
    out.onCompleted();
  }

  private static StatusException invalid(String message) {
    return Status.INVALID_ARGUMENT.withDescription(message).asException();
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusReply> out) {
    answer(out, "", () -> out.onNext(status.get()));
  }

  @Override
  public void overlayList(OverlayPath request, StreamObserver<OverlayRecord> out) {
    answer(
        out,
        request.getPath(),
        () -> {
          if (request.getPath().isEmpty()) {
            List<FileId> ids = new ArrayList<>();
            overlay.forEach((id, r) -> ids.add(id));
            for (FileId id : ids) {
              send(id, null, out);
            }
          } else if (request.getRecursive()) {
            paths.walk(Path.of(request.getPath()), f -> send(f.id(), f.place().path(), out));
          } else {
            HostPaths.Found file = paths.find(Path.of(request.getPath()));
            send(file.id(), file.place().path(), out);
          }
        });
  }

  private void send(FileId id, String path, StreamObserver<OverlayRecord> out)
      throws ErrnoException {
    OverlayRecord record = describe(id, path);
    if (record != null) {
      out.onNext(record);
    }
  }

  /**
   * The record as the command line shows it, or null. {@code path}: where it is, if known better.
   */
  private OverlayRecord describe(FileId id, String path) throws ErrnoException {
    dev.hostshare.fileserver.overlay.OverlayRecord r = overlay.get(id);
    if (r == null) {
      return null;
    }
    OverlayRecord.Builder out =
        OverlayRecord.newBuilder()
            .setVolume(overlay.volumeKey(id.volume()))
            .setInode(id.inode())
            .setBirthNanos(id.birth());
    if (path != null || r.path() != null) {
      out.setPath(path == null ? r.path() : path);
    }
    if (r.hasUid()) {
      out.setUid(r.uid());
    }
    if (r.hasGid()) {
      out.setGid(r.gid());
    }
    if (r.hasMode()) {
      out.setMode(r.mode());
    }
    if (r.isSpecial()) {
      out.setType(r.type()).setRdev(r.rdev());
    }
    overlay
        .xattrs(id)
        .forEach(
            x ->
                out.addXattrs(
                    OverlayXattr.newBuilder()
                        .setName(ByteString.copyFrom(x.name()))
                        .setValue(ByteString.copyFrom(x.value()))));
    return out.build();
  }

  @Override
  public void overlayGet(OverlayPath request, StreamObserver<OverlayRecord> out) {
    answer(
        out,
        request.getPath(),
        () -> {
          HostPaths.Found file = paths.find(Path.of(request.getPath()));
          OverlayRecord record = describe(file.id(), file.place().path());
          if (record == null) {
            throw Status.NOT_FOUND
                .withDescription(
                    request.getPath() + " has no record: guests see it as it is on the host")
                .asException();
          }
          out.onNext(record);
        });
  }

  @Override
  public void overlaySet(OverlayChange request, StreamObserver<OverlayRecord> out) {
    answer(
        out,
        request.getPath(),
        () -> {
          RecordChange change = new RecordChange();
          if (request.hasUid()) {
            change.uid(id("uid", request.getUid()));
          }
          if (request.hasGid()) {
            change.gid(id("gid", request.getGid()));
          }
          if (request.hasMode()) {
            change.mode(mode(request.getMode()));
          }
          if (change.isEmpty()) {
            throw invalid("nothing to set: name an owner or a mode");
          }
          HostPaths.Found file = findShared(request.getPath());
          change(file, change);
          out.onNext(describe(file.id(), file.place().path()));
        });
  }

  /** A record of what no guest can see would only be in the way. */
  private HostPaths.Found findShared(String text) throws ErrnoException, StatusException {
    Path path = Path.of(text).normalize();
    List<String> roots = overlay.roots();
    if (roots.stream().noneMatch(root -> path.startsWith(Path.of(root)))) {
      throw invalid(
          text
              + " is in no shared folder"
              + (roots.isEmpty()
                  ? "; none was ever shared"
                  : " (" + String.join(", ", roots) + ")"));
    }
    return paths.find(path);
  }

  private static int id(String what, int value) throws StatusException {
    if (Integer.toUnsignedLong(value) > MAX_ID) {
      throw invalid(what + " must be from 0 to " + MAX_ID);
    }
    return value;
  }

  private static int mode(int value) throws StatusException {
    if ((value & ~Linux.PERMISSIONS) != 0) {
      throw invalid("mode must be from 0 to 7777 (octal)");
    }
    return value;
  }

  @Override
  public void overlayClear(OverlayPath request, StreamObserver<OverlayCount> out) {
    answer(
        out,
        request.getPath(),
        () -> {
          int before = overlay.size();
          if (request.getPath().isEmpty()) {
            throw invalid("name the path whose records are to go; / with --recursive for all");
          }
          if (request.getRecursive()) {
            paths.walk(Path.of(request.getPath()), this::remove);
          } else {
            remove(paths.find(Path.of(request.getPath())));
          }
          out.onNext(count(before - overlay.size()));
        });
  }

  private static OverlayCount count(long n) {
    return OverlayCount.newBuilder().setCount(n).build();
  }

  @Override
  public void overlayVerify(OverlayPath request, StreamObserver<OverlayFinding> out) {
    answer(
        out,
        request.getPath(),
        () -> {
          for (OverlayAudit.Finding f : audit.verify()) {
            String problem =
                switch (f.state()) {
                  case MOVED -> "now at " + f.now();
                  case GONE -> "the file is gone; `overlay gc` removes the record";
                  case UNREACHABLE -> "its file system is not mounted, or no share on it exists";
                };
            out.onNext(
                OverlayFinding.newBuilder()
                    .setPath(f.path() == null ? "inode " + f.id().inode() : f.path())
                    .setProblem(problem)
                    .build());
          }
        });
  }

  @Override
  public void overlayGc(OverlayPath request, StreamObserver<OverlayCount> out) {
    answer(out, request.getPath(), () -> out.onNext(count(audit.collect())));
  }

  @Override
  public StreamObserver<OverlayRecord> overlayImport(StreamObserver<OverlayCount> out) {
    return new StreamObserver<>() {
      private long imported;
      private boolean failed;

      @Override
      public void onNext(OverlayRecord record) {
        if (failed) {
          return;
        }
        try {
          importRecord(record);
          imported++;
        } catch (StatusException e) {
          fail(e);
        } catch (ErrnoException | InvalidPathException e) {
          fail(
              Status.FAILED_PRECONDITION
                  .withDescription(
                      record.getPath()
                          + ": "
                          + e.getMessage()
                          + "; "
                          + imported
                          + " records before it were imported")
                  .asException());
        }
      }

      private void fail(StatusException e) {
        failed = true;
        out.onError(e);
      }

      @Override
      public void onError(Throwable t) {
        failed = true;
      }

      @Override
      public void onCompleted() {
        if (!failed) {
          out.onNext(count(imported));
          out.onCompleted();
        }
      }
    };
  }

  /** By path: the identities of another machine, or of a restored backup, mean nothing here. */
  private void importRecord(OverlayRecord record) throws ErrnoException, StatusException {
    if (record.getPath().isEmpty()) {
      throw invalid("a record without a path cannot be imported (inode " + record.getInode() + ")");
    }
    HostPaths.Found file = findShared(record.getPath());
    RecordChange change = new RecordChange();
    if (record.hasUid()) {
      change.uid(id("uid", record.getUid()));
    }
    if (record.hasGid()) {
      change.gid(id("gid", record.getGid()));
    }
    if (record.hasMode()) {
      change.mode(mode(record.getMode()));
    }
    if (record.hasType()) {
      if (!file.stat().isRegular()) {
        throw invalid(record.getPath() + " is to be a special file, but is no plain file here");
      }
      change.special(record.getType() & Linux.S_IFMT, record.getRdev());
    }
    for (OverlayXattr x : record.getXattrsList()) {
      change.setXattr(x.getName().toByteArray(), x.getValue().toByteArray(), 0);
    }
    change(file, change);
  }

  private void change(HostPaths.Found file, RecordChange change) throws ErrnoException {
    overlay.change(file.id(), file.place(), change);
    changed.accept(file.id());
  }

  private void remove(HostPaths.Found file) throws ErrnoException {
    overlay.remove(file.id());
    changed.accept(file.id());
  }
}
