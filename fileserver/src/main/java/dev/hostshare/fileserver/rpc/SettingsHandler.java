package dev.hostshare.fileserver.rpc;

import com.google.common.base.Strings;
import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.settings.AdminSettings;
import dev.hostshare.fileserver.settings.EffectiveShare;
import dev.hostshare.fileserver.settings.FolderBrowser;
import dev.hostshare.fileserver.settings.SettingsException;
import dev.hostshare.fileserver.settings.SettingsStore;
import dev.hostshare.fileserver.settings.SharedFolder;
import dev.hostshare.fileserver.settings.Snapshot;
import dev.hostshare.proto.v1.Administration;
import dev.hostshare.proto.v1.BrowseFolder;
import dev.hostshare.proto.v1.Folder;
import dev.hostshare.proto.v1.ImportShares;
import dev.hostshare.proto.v1.Imported;
import dev.hostshare.proto.v1.ListSettings;
import dev.hostshare.proto.v1.RemoveShare;
import dev.hostshare.proto.v1.RestoreShare;
import dev.hostshare.proto.v1.Settings;
import dev.hostshare.proto.v1.SettingsServiceGrpc;
import dev.hostshare.proto.v1.ShareAccess;
import dev.hostshare.proto.v1.ShareState;
import dev.hostshare.proto.v1.UpdateShare;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code SettingsService}: the file-sharing list, of a running server or of the state folder alone.
 */
public final class SettingsHandler extends SettingsServiceGrpc.SettingsServiceImplBase {
  private static final Logger log = LoggerFactory.getLogger(SettingsHandler.class);

  private final SettingsStore store;
  private final FolderBrowser browser;

  public SettingsHandler(SettingsStore store, FolderBrowser browser) {
    this.store = store;
    this.browser = browser;
  }

  private interface Call<T> {
    T run() throws SettingsException;
  }

  /** Answers with the outcome, or tells in words why there is none. */
  private static <T> void answer(StreamObserver<T> out, Call<T> call) {
    T reply;
    try {
      reply = call.run();
    } catch (SettingsException e) {
      out.onError(code(e.reason()).withDescription(e.getMessage()).asException());
      return;
    } catch (IllegalArgumentException e) {
      out.onError(Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asException());
      return;
    }
    out.onNext(reply);
    out.onCompleted();
  }

  private static Status code(SettingsException.Reason reason) {
    return switch (reason) {
      case INVALID -> Status.INVALID_ARGUMENT;
      case NOT_FOUND -> Status.NOT_FOUND;
      case ALREADY_LISTED -> Status.ALREADY_EXISTS;
      case NOT_ALLOWED -> Status.PERMISSION_DENIED;
      case UNAVAILABLE, BROKEN_FILE -> Status.FAILED_PRECONDITION;
    };
  }

  @Override
  public void list(ListSettings request, StreamObserver<Settings> out) {
    answer(out, () -> pack(store.snapshot()));
  }

  @Override
  public void add(dev.hostshare.proto.v1.SharedFolder request, StreamObserver<Settings> out) {
    answer(
        out,
        () -> {
          SharedFolder initial = store.initial(SharedFolder.parsePath(request.getPath()));
          SharedFolder share =
              new SharedFolder(
                  initial.path(),
                  readOnly(request.getAccess(), initial.readOnly()),
                  owner(request.getOwner(), request.getUid(), request.getGid(), initial.owner()),
                  !request.getDisabled(),
                  request.getNote());
          return pack(store.add(share));
        });
  }

  @Override
  public void update(UpdateShare request, StreamObserver<Settings> out) {
    answer(
        out,
        () ->
            pack(
                store.update(
                    SharedFolder.parsePath(request.getPath()),
                    s ->
                        new SharedFolder(
                            s.path(),
                            readOnly(request.getAccess(), s.readOnly()),
                            owner(
                                request.getOwner(), request.getUid(), request.getGid(), s.owner()),
                            request.hasDisabled() ? !request.getDisabled() : s.enabled(),
                            request.hasNote() ? request.getNote() : s.note()))));
  }

  @Override
  public void remove(RemoveShare request, StreamObserver<Settings> out) {
    answer(out, () -> pack(store.remove(SharedFolder.parsePath(request.getPath()))));
  }

  @Override
  public void restore(RestoreShare request, StreamObserver<Settings> out) {
    answer(out, () -> pack(store.restore(SharedFolder.parsePath(request.getPath()))));
  }

  @Override
  public void import_(ImportShares request, StreamObserver<Imported> out) {
    answer(
        out,
        () -> {
          SettingsStore.Imported imported = store.importDocker(request.getJson());
          return Imported.newBuilder()
              .setSettings(pack(imported.snapshot()))
              .addAllAdded(imported.added().stream().map(Path::toString).toList())
              .addAllSkipped(imported.skipped())
              .build();
        });
  }

  @Override
  public void watch(ListSettings request, StreamObserver<Settings> responses) {
    var out = (ServerCallStreamObserver<Settings>) responses;
    var watcher = new Watcher(out);
    out.setOnReadyHandler(watcher::send);
    AutoCloseable watch = store.watch(watcher::changed);
    out.setOnCancelHandler(
        () -> {
          try {
            watch.close();
          } catch (Exception e) {
            log.error("a watch of the settings does not end", e);
          }
        });
  }

  /** Who does not read is not waited for, and has the last list when he does. */
  private static final class Watcher {
    private final ServerCallStreamObserver<Settings> out;
    private Snapshot next;

    Watcher(ServerCallStreamObserver<Settings> out) {
      this.out = out;
    }

    synchronized void changed(Snapshot snapshot) {
      next = snapshot;
      send();
    }

    synchronized void send() {
      if (next != null && out.isReady() && !out.isCancelled()) {
        out.onNext(pack(next));
        next = null;
      }
    }
  }

  @Override
  public void browse(BrowseFolder request, StreamObserver<Folder> out) {
    answer(
        out,
        () -> {
          FolderBrowser.Folder folder =
              request.getPath().isEmpty()
                  ? browser.roots()
                  : browser.list(SharedFolder.parsePath(request.getPath()));
          Folder.Builder reply =
              Folder.newBuilder()
                  .addAllFolders(folder.folders().stream().map(Path::toString).toList())
                  .setMore(folder.more())
                  .setRefusal(folder.refusal());
          if (folder.path() != null) {
            reply.setPath(folder.path().toString());
          }
          if (folder.parent() != null) {
            reply.setParent(folder.parent().toString());
          }
          return reply.build();
        });
  }

  private static boolean readOnly(ShareAccess access, boolean otherwise) {
    return switch (access) {
      case READ_ONLY -> true;
      case READ_WRITE -> false;
      case SHARE_ACCESS_UNSPECIFIED -> otherwise;
      case UNRECOGNIZED -> throw new IllegalArgumentException("there is no such access");
    };
  }

  private static OwnerPolicy owner(
      dev.hostshare.proto.v1.OwnerPolicy owner, int uid, int gid, OwnerPolicy otherwise) {
    return switch (owner) {
      case HOST -> new OwnerPolicy.Host();
      case CALLER -> new OwnerPolicy.Caller();
      case FIXED ->
          OwnerPolicy.parse(Integer.toUnsignedString(uid) + ":" + Integer.toUnsignedString(gid));
      case OWNER_POLICY_UNSPECIFIED -> otherwise;
      case UNRECOGNIZED -> throw new IllegalArgumentException("there is no such owner policy");
    };
  }

  private static Settings pack(Snapshot snapshot) {
    Settings.Builder settings =
        Settings.newBuilder()
            .setFile(snapshot.file().toString())
            .setProblem(snapshot.problem())
            .setFixed(snapshot.fixed())
            .setAdministration(pack(snapshot.admin(), snapshot.adminProblem()))
            .setDefaultOwner(kind(snapshot.defaultOwner()))
            .setInitial(initial(snapshot));
    snapshot.shares().forEach(s -> settings.addShares(pack(s)));
    return settings.build();
  }

  private static dev.hostshare.proto.v1.SharedFolder initial(Snapshot snapshot) {
    AdminSettings admin = snapshot.admin();
    SharedFolder folder = admin.initial(Path.of(""), snapshot.defaultOwner());
    return pack(
            new EffectiveShare(
                folder, EffectiveShare.State.SHARED, "", admin.accessLocked(), admin.ownerLocked()))
        .toBuilder()
        .clearState()
        .build();
  }

  private static Administration pack(AdminSettings admin, String problem) {
    Administration.Builder packed =
        Administration.newBuilder().setProblem(problem).setListLocked(admin.listLocked());
    if (admin.present() || !problem.isEmpty()) {
      packed.setFile(admin.file().toString());
    }
    if (admin.allowed() != null) {
      packed.setRestricted(true);
      admin.allowed().forEach(a -> packed.addAllowed(a.path().toString()));
    }
    return packed.build();
  }

  private static dev.hostshare.proto.v1.SharedFolder pack(EffectiveShare share) {
    SharedFolder folder = share.folder();
    var packed =
        dev.hostshare.proto.v1.SharedFolder.newBuilder()
            .setPath(folder.path().toString())
            .setAccess(folder.readOnly() ? ShareAccess.READ_ONLY : ShareAccess.READ_WRITE)
            .setOwner(kind(folder.owner()))
            .setDisabled(!folder.enabled())
            .setNote(folder.note())
            .setState(
                switch (share.state()) {
                  case SHARED -> ShareState.SHARED;
                  case DISABLED -> ShareState.DISABLED;
                  case UNAVAILABLE -> ShareState.UNAVAILABLE;
                  case DENIED -> ShareState.DENIED;
                })
            .setReason(Strings.nullToEmpty(share.reason()))
            .setAccessLocked(share.accessLocked())
            .setOwnerLocked(share.ownerLocked());
    if (folder.owner() instanceof OwnerPolicy.Fixed fixed) {
      packed.setUid(fixed.uid()).setGid(fixed.gid());
    }
    return packed.build();
  }

  private static dev.hostshare.proto.v1.OwnerPolicy kind(OwnerPolicy owner) {
    return switch (owner) {
      case OwnerPolicy.Host h -> dev.hostshare.proto.v1.OwnerPolicy.HOST;
      case OwnerPolicy.Caller c -> dev.hostshare.proto.v1.OwnerPolicy.CALLER;
      case OwnerPolicy.Fixed f -> dev.hostshare.proto.v1.OwnerPolicy.FIXED;
    };
  }
}
