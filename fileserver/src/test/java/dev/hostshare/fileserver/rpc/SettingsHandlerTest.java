package dev.hostshare.fileserver.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.hostshare.fileserver.settings.FolderBrowser;
import dev.hostshare.fileserver.settings.SettingsStore;
import dev.hostshare.proto.v1.BrowseFolder;
import dev.hostshare.proto.v1.ImportShares;
import dev.hostshare.proto.v1.ListSettings;
import dev.hostshare.proto.v1.OwnerPolicy;
import dev.hostshare.proto.v1.RemoveShare;
import dev.hostshare.proto.v1.Settings;
import dev.hostshare.proto.v1.SettingsServiceGrpc;
import dev.hostshare.proto.v1.ShareAccess;
import dev.hostshare.proto.v1.SharedFolder;
import dev.hostshare.proto.v1.UpdateShare;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code SettingsService} as a tool sees it, a hostile one included. */
@Timeout(60)
final class SettingsHandlerTest {
  private static final Set<Status.Code> REFUSALS =
      EnumSet.of(
          Status.Code.INVALID_ARGUMENT,
          Status.Code.NOT_FOUND,
          Status.Code.ALREADY_EXISTS,
          Status.Code.PERMISSION_DENIED,
          Status.Code.FAILED_PRECONDITION);

  @TempDir private Path temp;
  private Path home;
  private Path state;
  private Server server;
  private ManagedChannel channel;
  private SettingsServiceGrpc.SettingsServiceBlockingStub service;

  @BeforeEach
  void start() throws Exception {
    temp = temp.toRealPath();
    home = Files.createDirectories(temp.resolve("home/work")).getParent();
    state = Files.createDirectory(temp.resolve("state"));
    Path etc = Files.createDirectory(temp.resolve("etc"));
    var config = new SettingsStore.Config(state, etc.resolve("admin-settings.json"), home, null);
    Files.writeString(
        config.admin(),
        "{\"filesharingAllowedDirectories\": [{\"path\": \"$HOME\", \"sharedByDefault\": true}]}");
    var store = new SettingsStore(config);
    var handler = new SettingsHandler(store, new FolderBrowser(config, store));
    String name = InProcessServerBuilder.generateName();
    server = InProcessServerBuilder.forName(name).directExecutor().addService(handler).build();
    server.start();
    channel = InProcessChannelBuilder.forName(name).directExecutor().build();
    service = SettingsServiceGrpc.newBlockingStub(channel);
  }

  @AfterEach
  void stop() throws Exception {
    channel.shutdownNow();
    server.shutdownNow().awaitTermination();
  }

  private Settings list() {
    return service.list(ListSettings.getDefaultInstance());
  }

  private static Status.Code refused(Runnable call) {
    var refusal = assertThrows(StatusRuntimeException.class, call::run);
    assertTrue(!refusal.getStatus().getDescription().isEmpty());
    return refusal.getStatus().getCode();
  }

  @Test
  void listIsChangedAndWatched() {
    var watched = service.watch(ListSettings.getDefaultInstance());
    assertEquals(1, watched.next().getSharesCount());
    var added =
        service.add(
            SharedFolder.newBuilder()
                .setPath(home + "/work/../work")
                .setAccess(ShareAccess.READ_ONLY)
                .setOwner(OwnerPolicy.FIXED)
                .setUid(-2)
                .setGid(5)
                .setNote("n")
                .build());
    assertEquals(added, watched.next());
    assertEquals(home + "/work", added.getShares(1).getPath());
    assertEquals(-2, added.getShares(1).getUid());

    var updated =
        service.update(UpdateShare.newBuilder().setPath(home + "/work").setDisabled(true).build());
    assertTrue(updated.getShares(1).getDisabled());
    assertEquals(ShareAccess.READ_ONLY, updated.getShares(1).getAccess());
    assertEquals("n", updated.getShares(1).getNote());
    assertEquals(updated, watched.next());

    var removed = service.remove(RemoveShare.newBuilder().setPath(home + "/work").build());
    assertEquals(1, removed.getSharesCount());
    assertEquals(removed, watched.next());
  }

  @Test
  void refusalsHaveTheirCodes() {
    assertEquals(Status.Code.ALREADY_EXISTS, refused(() -> add(home.toString())));
    assertEquals(Status.Code.PERMISSION_DENIED, refused(() -> add(temp.toString())));
    assertEquals(Status.Code.FAILED_PRECONDITION, refused(() -> add(home + "/none")));
    assertEquals(Status.Code.INVALID_ARGUMENT, refused(() -> add("work")));
    assertEquals(Status.Code.INVALID_ARGUMENT, refused(() -> add("/a\0b")));
    assertEquals(Status.Code.INVALID_ARGUMENT, refused(() -> add("")));
    assertEquals(
        Status.Code.INVALID_ARGUMENT,
        refused(
            () ->
                service.add(
                    SharedFolder.newBuilder()
                        .setPath(home + "/work")
                        .setNote("x".repeat(1001))
                        .build())));
    assertEquals(
        Status.Code.NOT_FOUND,
        refused(() -> service.remove(RemoveShare.newBuilder().setPath("/x").build())));
    assertEquals(1, list().getSharesCount());
  }

  private Settings add(String path) {
    return service.add(SharedFolder.newBuilder().setPath(path).build());
  }

  /**
   * Nothing that is asked for gets an unclear answer, a path elsewhere, or a file that is broken.
   */
  @Test
  void fuzzedRequestsAreAnsweredOrRefused() throws Exception {
    var random = new Random(20252);
    var seeds =
        List.of(
            SharedFolder.newBuilder()
                .setPath(home + "/work")
                .setOwner(OwnerPolicy.FIXED)
                .setUid(3)
                .build(),
            SharedFolder.newBuilder().setPath(home + "/../other").setNote("\u0000\u202e").build(),
            SharedFolder.newBuilder().setPath("/proc/self/root" + home).setDisabled(true).build());
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = seeds.get(random.nextInt(seeds.size())).toByteArray();
      for (int n = random.nextInt(4); n > 0; n--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        switch (random.nextInt(5)) {
          case 0 -> service.add(SharedFolder.parseFrom(bytes));
          case 1 -> service.update(UpdateShare.parseFrom(bytes));
          case 2 -> service.remove(RemoveShare.parseFrom(bytes));
          case 3 -> {
            var folder = service.browse(BrowseFolder.parseFrom(bytes));
            for (String path : folder.getFoldersList()) {
              assertTrue(Path.of(path).startsWith(home), path);
            }
          }
          default ->
              service.import_(
                  ImportShares.newBuilder()
                      .setJson(new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1))
                      .build());
        }
      } catch (StatusRuntimeException e) {
        assertTrue(REFUSALS.contains(e.getStatus().getCode()), e::toString);
      } catch (InvalidProtocolBufferException e) {
        continue; // gRPC refuses it before it comes to us
      }
      for (var share : list().getSharesList()) {
        assertTrue(Path.of(share.getPath()).startsWith(home), share.getPath());
      }
      assertEquals("", list().getProblem());
    }
  }
}
