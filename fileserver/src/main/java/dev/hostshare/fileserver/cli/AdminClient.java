package dev.hostshare.fileserver.cli;

import dev.hostshare.fileserver.host.LinuxHost;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.fileserver.rpc.AdminHandler;
import dev.hostshare.fileserver.rpc.SettingsHandler;
import dev.hostshare.fileserver.rpc.StateFolder;
import dev.hostshare.fileserver.settings.FolderBrowser;
import dev.hostshare.fileserver.settings.SettingsStore;
import dev.hostshare.fileserver.settings.SettingsWatch;
import dev.hostshare.proto.v1.AdminServiceGrpc;
import dev.hostshare.proto.v1.SettingsServiceGrpc;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The {@code AdminService} of the server that runs on a state folder, or, when none does, one in
 * this process over the folder's store.
 */
final class AdminClient implements AutoCloseable {
  /** What is closed at the end, in this order. */
  private final java.util.List<AutoCloseable> resources = new java.util.ArrayList<>();

  private final ManagedChannel channel;

  private AdminClient(ManagedChannel channel) {
    this.channel = channel;
  }

  /** Connects to the running server, or opens the store if there is none. */
  static AdminClient open(Path state) throws IOException {
    return isRunning(state) ? connect(state) : local(state);
  }

  /** Connects to the running server. */
  static AdminClient connectToRunning(Path state) throws IOException {
    if (!isRunning(state)) {
      throw new IOException(
          "no server runs on state folder "
              + state
              + "; start one with `hostshare serve`, or name"
              + " its folder with --state");
    }
    return connect(state);
  }

  /** Whether a server answers on this state folder. */
  static boolean isRunning(Path state) throws IOException {
    Path socket = StateFolder.controlSocket(state);
    if (!Files.exists(socket)) {
      return false;
    }
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      probe.connect(UnixDomainSocketAddress.of(socket));
      return true;
    } catch (java.net.ConnectException e) {
      return false; // left over from a server that was killed
    } catch (IOException e) {
      throw new IOException("cannot reach the server at " + socket + ": " + e.getMessage(), e);
    }
  }

  static AdminClient connect(Path state) {
    EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    AdminClient client =
        new AdminClient(
            NettyChannelBuilder.forAddress(
                    new DomainSocketAddress(StateFolder.controlSocket(state).toFile()))
                .eventLoopGroup(group)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .overrideAuthority("localhost")
                .build());
    client.resources.add(() -> group.shutdownGracefully(0, 1, TimeUnit.SECONDS).await());
    return client;
  }

  private static AdminClient local(Path state) throws IOException {
    if (!Files.isDirectory(state)) {
      throw new IOException(
          state + " is no state folder: no server has ever run on it; name one with --state");
    }
    StateFolder folder = StateFolder.take(state);
    OverlayStore store;
    try {
      store = OverlayStore.open(state);
    } catch (IOException e) {
      folder.close();
      throw e;
    }
    AdminHandler handler =
        new AdminHandler(
            new LinuxHost(),
            store,
            file -> {},
            () -> {
              throw new IllegalStateException("no server runs");
            });
    AdminClient client = inProcess(handler);
    client.resources.add(handler);
    client.resources.add(store);
    client.resources.add(folder);
    return client;
  }

  /**
   * Connects to the running server's {@code SettingsService}, or has one here if there is none.
   * What is changed here, a server that is started later finds.
   */
  static AdminClient openSettings(Path state) throws IOException {
    if (isRunning(state)) {
      return connect(state);
    }
    StateFolder folder = StateFolder.take(state);
    try {
      AdminClient client = localSettings(state);
      client.resources.add(folder);
      return client;
    } catch (IOException | RuntimeException e) {
      folder.close();
      throw e;
    }
  }

  /**
   * A {@code SettingsService} in this process. Whoever uses it to change something has to have the
   * {@link StateFolder} meanwhile; the changes of others it sees.
   */
  static AdminClient localSettings(Path state) throws IOException {
    var config = new SettingsStore.Config(state, null);
    var store = new SettingsStore(config);
    var watch = new SettingsWatch(store);
    AdminClient client = inProcess(new SettingsHandler(store, new FolderBrowser(config, store)));
    client.resources.add(watch);
    return client;
  }

  private static AdminClient inProcess(BindableService service) throws IOException {
    String name = InProcessServerBuilder.generateName();
    Server server =
        InProcessServerBuilder.forName(name).directExecutor().addService(service).build().start();
    AdminClient client =
        new AdminClient(InProcessChannelBuilder.forName(name).directExecutor().build());
    client.resources.add(() -> server.shutdownNow().awaitTermination());
    return client;
  }

  AdminServiceGrpc.AdminServiceBlockingStub stub() {
    return AdminServiceGrpc.newBlockingStub(channel);
  }

  SettingsServiceGrpc.SettingsServiceBlockingStub settings() {
    return SettingsServiceGrpc.newBlockingStub(channel);
  }

  SettingsServiceGrpc.SettingsServiceStub asyncSettings() {
    return SettingsServiceGrpc.newStub(channel);
  }

  AdminServiceGrpc.AdminServiceStub asyncStub() {
    return AdminServiceGrpc.newStub(channel);
  }

  /** The server's words for a failure, which are fit for the user. */
  static IOException failure(StatusRuntimeException e) {
    Status status = e.getStatus();
    String words = status.getDescription();
    return new IOException(words == null ? status.getCode().toString() : words, e);
  }

  @Override
  public void close() throws IOException {
    channel.shutdownNow();
    try {
      for (AutoCloseable resource : resources) {
        resource.close();
      }
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("closing failed: " + e.getMessage(), e);
    }
  }
}
