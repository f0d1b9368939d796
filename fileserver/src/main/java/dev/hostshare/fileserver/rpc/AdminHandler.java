package dev.hostshare.fileserver.rpc;

import com.google.common.util.concurrent.MoreExecutors;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import com.google.protobuf.ByteString;
import dev.hostshare.fileserver.export.HostPaths;
import dev.hostshare.fileserver.export.OverlayAudit;
import dev.hostshare.fileserver.export.Volumes;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.FileId;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.overlay.OverlayListing;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code AdminService}: what the command line asks, of a running server or of the store alone. What
 * may take long has a thread of its own, and sends as its client reads.
 */
public final class AdminHandler extends AdminServiceGrpc.AdminServiceImplBase
    implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AdminHandler.class);

  private static final long MAX_ID = 0xffff_fffeL;

  /** A listing that waits for its reader takes a thread. */
  private static final int MAX_LONG_CALLS = 8;

  private static final long STOP_SECONDS = 10;

  private final OverlayStore overlay;
  private final Consumer<FileId> changed;
  private final HostPaths paths;
  private final OverlayAudit audit;
  private final Supplier<StatusReply> status;
  private final Semaphore audits = new Semaphore(1);
  private final ExecutorService longCalls =
      new ThreadPoolExecutor(
          0,
          MAX_LONG_CALLS,
          1,
          TimeUnit.SECONDS,
          new SynchronousQueue<>(),
          new ThreadFactoryBuilder().setNameFormat("overlay-call-%d").setDaemon(true).build());

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
    } catch (CancellationException e) {
      out.onError(Status.CANCELLED.asException());
      return;
    } catch (RuntimeException | Error e) {
      log.error("a call of the command line failed", e);
      out.onError(Status.INTERNAL.withDescription("the server failed: " + e).asException());
      return;
    }
    out.onCompleted();
  }

  private interface LongCall<T> {
    void run(Outflow<T> out) throws ErrnoException, StatusException;
  }

  private <T> void answerAtLength(StreamObserver<T> observer, String path, LongCall<T> call) {
    Outflow<T> out = new Outflow<>(observer);
    try {
      longCalls.execute(() -> answer(observer, path, () -> call.run(out)));
    } catch (RejectedExecutionException e) {
      observer.onError(
          Status.RESOURCE_EXHAUSTED
              .withDescription(
                  "the server is busy with "
                      + MAX_LONG_CALLS
                      + " listings and checks of the overlay; end one of them, or try again later")
              .asException());
    }
  }

  private static StatusException invalid(String message) {
    return Status.INVALID_ARGUMENT.withDescription(message).asException();
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusReply> out) {
    answer(out, "", () -> out.onNext(status.get()));
  }

  @Override
  public void overlayList(OverlayPath request, StreamObserver<OverlayRecord> observer) {
    answerAtLength(
        observer,
        request.getPath(),
        out -> {
          if (request.getPath().isEmpty()) {
            listAll(out);
          } else if (request.getRecursive()) {
            paths.walk(Path.of(request.getPath()), f -> send(f, out));
          } else {
            send(paths.find(Path.of(request.getPath())), out);
          }
        });
  }

  private void listAll(Outflow<OverlayRecord> out) throws ErrnoException {
    Map<Integer, String> volumes = new HashMap<>();
    try (OverlayListing records = overlay.list()) {
      records.visit(
          0,
          Long.MAX_VALUE,
          (id, record) -> {
            if (!volumes.containsKey(id.volume())) {
              volumes.put(id.volume(), overlay.volumeKey(id.volume()));
            }
            out.send(describe(id, record, record.path(), volumes.get(id.volume())));
            return true;
          });
    }
  }

  private void send(HostPaths.Found file, Outflow<OverlayRecord> out) throws ErrnoException {
    out.goOn();
    OverlayRecord record = describe(file);
    if (record != null) {
      out.send(record);
    }
  }

  /** The record of a file as the command line shows it, or null. */
  private OverlayRecord describe(HostPaths.Found file) throws ErrnoException {
    var record = overlay.get(file.id());
    return record == null
        ? null
        : describe(file.id(), record, file.place().path(), overlay.volumeKey(file.id().volume()));
  }

  /** {@code path}: null if it is not known. */
  private OverlayRecord describe(
      FileId id, dev.hostshare.fileserver.overlay.OverlayRecord r, String path, String volume)
      throws ErrnoException {
    OverlayRecord.Builder out =
        OverlayRecord.newBuilder().setVolume(volume).setInode(id.inode()).setBirthNanos(id.birth());
    if (path != null) {
      out.setPath(path);
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
    if (r.hasXattrs()) {
      overlay
          .xattrs(id)
          .forEach(
              x ->
                  out.addXattrs(
                      OverlayXattr.newBuilder()
                          .setName(ByteString.copyFrom(x.name()))
                          .setValue(ByteString.copyFrom(x.value()))));
    }
    return out.build();
  }

  @Override
  public void overlayGet(OverlayPath request, StreamObserver<OverlayRecord> out) {
    answer(
        out,
        request.getPath(),
        () -> {
          HostPaths.Found file = paths.find(Path.of(request.getPath()));
          OverlayRecord record = describe(file);
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
          out.onNext(describe(file));
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
  public void overlayClear(OverlayPath request, StreamObserver<OverlayCount> observer) {
    answerAtLength(
        observer,
        request.getPath(),
        out -> {
          var removed = new AtomicLong();
          if (request.getPath().isEmpty()) {
            throw invalid("name the path whose records are to go; / with --recursive for all");
          }
          if (request.getRecursive()) {
            paths.walk(
                Path.of(request.getPath()),
                file -> {
                  out.goOn();
                  removed.addAndGet(remove(file));
                });
          } else {
            removed.addAndGet(remove(paths.find(Path.of(request.getPath()))));
          }
          out.send(count(removed.get()));
        });
  }

  private static OverlayCount count(long n) {
    return OverlayCount.newBuilder().setCount(n).build();
  }

  @Override
  public void overlayVerify(OverlayPath request, StreamObserver<OverlayFinding> observer) {
    answerAtLength(
        observer,
        request.getPath(),
        out ->
            alone(
                () ->
                    audit.verify(
                        new OverlayAudit.Report() {
                          @Override
                          public void found(OverlayAudit.Finding finding) {
                            out.send(describe(finding));
                          }

                          @Override
                          public void goOn() {
                            out.goOn();
                          }
                        })));
  }

  /** One audit at a time: each has memory and walks of its own. */
  private void alone(Call call) throws ErrnoException, StatusException {
    if (!audits.tryAcquire()) {
      throw Status.RESOURCE_EXHAUSTED
          .withDescription("another `overlay verify` or `overlay gc` is at work; wait for its end")
          .asException();
    }
    try {
      call.run();
    } finally {
      audits.release();
    }
  }

  private static OverlayFinding describe(OverlayAudit.Finding f) {
    String problem =
        switch (f.state()) {
          case MOVED -> "now at " + f.now();
          case GONE -> "the file is gone; `overlay gc` removes the record";
          case UNREACHABLE ->
              f.now() == null
                  ? "its file system is not mounted, no share on it exists, or the server may not look"
                  : "it may be in " + f.now() + ", which the server may not read";
        };
    return OverlayFinding.newBuilder()
        .setPath(f.path() == null ? "inode " + f.id().inode() : f.path())
        .setProblem(problem)
        .build();
  }

  @Override
  public void overlayGc(OverlayPath request, StreamObserver<OverlayCount> observer) {
    answerAtLength(observer, request.getPath(), out -> out.send(count(audit.collect(out::goOn))));
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

  /** How many records that were. */
  private int remove(HostPaths.Found file) throws ErrnoException {
    if (!overlay.remove(file.id())) {
      return 0;
    }
    changed.accept(file.id());
    return 1;
  }

  /** Ends what still runs; to be called before the store is closed, when no calls come any more. */
  @Override
  public void close() {
    MoreExecutors.shutdownAndAwaitTermination(longCalls, STOP_SECONDS, TimeUnit.SECONDS);
  }
}
