package dev.hostshare.fileserver.rpc;

import com.google.common.util.concurrent.MoreExecutors;
import com.google.common.util.concurrent.ThreadFactoryBuilder;
import com.sun.management.UnixOperatingSystemMXBean;
import dev.hostshare.fileserver.export.DirectoryDescriptors;
import dev.hostshare.fileserver.export.ExportSession;
import dev.hostshare.fileserver.export.ListedShare;
import dev.hostshare.fileserver.export.SessionLimits;
import dev.hostshare.fileserver.export.ShareSpec;
import dev.hostshare.fileserver.export.Shares;
import dev.hostshare.fileserver.export.Watches;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.Fanotify;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostWatch;
import dev.hostshare.fileserver.host.LinuxHost;
import dev.hostshare.fileserver.overlay.OverlayException;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.fileserver.settings.FolderBrowser;
import dev.hostshare.fileserver.settings.SettingsStore;
import dev.hostshare.fileserver.settings.SettingsWatch;
import dev.hostshare.proto.v1.Share;
import dev.hostshare.proto.v1.StatusReply;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The whole server: state, shares, sockets. Started by its constructor, ended by {@link #close}.
 */
public final class FileServer implements AutoCloseable {
  /** Enough to keep several disks' queues busy; more only adds switches on a small machine. */
  private static final int WORKERS = Math.max(8, 4 * Runtime.getRuntime().availableProcessors());

  /** For the command line and the settings page, which are one person's. */
  private static final int CONTROL_WORKERS = 4;

  private static final Logger log = LoggerFactory.getLogger(FileServer.class);

  private final long started = System.nanoTime();
  private final String version;
  private final HostFs host = new LinuxHost();
  private final StateFolder state;
  private final OverlayStore overlay;
  private final DirectoryDescriptors descriptors;
  private final Watches watches;
  private final SessionLimits limits;
  private final PayloadBuffers buffers = new PayloadBuffers(FileServiceHandler.MAX_PAYLOAD);
  private final Shares shares;
  private final SettingsStore settings;
  private final int maxWatches;
  private final ExecutorService workers =
      Executors.newFixedThreadPool(
          WORKERS, new ThreadFactoryBuilder().setNameFormat("worker-%d").setDaemon(true).build());

  /** Its own: a look at a folder of a dead network disk must not keep guests waiting. */
  private final ExecutorService control =
      Executors.newFixedThreadPool(
          CONTROL_WORKERS,
          new ThreadFactoryBuilder().setNameFormat("control-%d").setDaemon(true).build());

  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          new ThreadFactoryBuilder().setNameFormat("timer").setDaemon(true).build());
  private final ThreadFactory waiters =
      new ThreadFactoryBuilder().setNameFormat("lock-waiter-%d").setDaemon(true).build();
  private final SessionTable sessions = new SessionTable(timer);
  private final Listeners listeners = new Listeners(LinuxHost.userId());
  private AdminHandler admin;
  private SettingsWatch settingsWatch;

  /**
   * What to serve, and where.
   *
   * @param shares null: those of the file-sharing list
   * @param maxWatches how many directories may be watched for changes; 0 for none
   * @param tls null if no TCP address with TLS is among the addresses
   */
  public record Config(
      Path state,
      List<ListenAddress> listen,
      List<ShareSpec> shares,
      TlsFiles tls,
      boolean insecureLoopback,
      int maxWatches,
      String version) {}

  /**
   * Starts the server; it takes connections when this returns.
   *
   * @throws IOException with a message for the user
   */
  public FileServer(Config config) throws IOException {
    version = config.version();
    state = StateFolder.take(config.state());
    int budget = descriptorLimit();
    descriptors = new DirectoryDescriptors(host, Math.clamp(budget / 4, 16, 16384));
    limits = SessionLimits.forDescriptors(budget);
    maxWatches = config.maxWatches();
    watches = new Watches(hostWatch(maxWatches), maxWatches);
    OverlayStore opened = null;
    try {
      var settingsConfig = new SettingsStore.Config(state.path(), config.shares());
      settings = new SettingsStore(settingsConfig);
      opened = OverlayStore.open(state.path());
      overlay = opened;
      shares = noShares();
      settings.enforce(this::share);
      LinuxHost.clearUmask();
      listen(config, new FolderBrowser(settingsConfig, settings));
      settingsWatch = new SettingsWatch(settings);
      var _ = timer.scheduleAtFixedRate(sessions::measure, 1, 1, TimeUnit.SECONDS);
    } catch (IOException | RuntimeException e) {
      closeQuietly(opened, e);
      throw e;
    }
  }

  private void closeQuietly(OverlayStore opened, Exception why) {
    listeners.close();
    watches.close();
    workers.shutdownNow();
    control.shutdownNow();
    timer.shutdownNow();
    if (admin != null) {
      admin.close();
    }
    try {
      if (opened != null) {
        opened.close();
      }
      state.close();
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  /** What tells of changes on the host; null where there is nothing. */
  private static HostWatch hostWatch(int max) {
    if (max == 0) {
      return null;
    }
    try {
      return Fanotify.open();
    } catch (ErrnoException e) {
      log.warn(
          "changes on the host cannot be watched ({}; Linux 5.13 can): guests keep what they see"
              + " for a second only",
          e.getMessage());
      return null;
    }
  }

  private static int descriptorLimit() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean os
        ? (int) Math.min(os.getMaxFileDescriptorCount(), 1 << 20)
        : 1024;
  }

  private Shares noShares() throws IOException {
    try {
      return new Shares(host, overlay, watches, state.path().toRealPath());
    } catch (ErrnoException e) {
      throw new IOException("cannot open " + state.path() + ": " + e.getMessage(), e);
    }
  }

  /** Puts the list in force; the guests know of it when this returns. */
  private Map<Path, String> share(List<ListedShare> list) {
    Map<Path, String> failures = new HashMap<>();
    try {
      Shares.Outcome outcome = shares.apply(list);
      outcome
          .failures()
          .forEach((path, e) -> failures.put(path, path + " cannot be shared: " + e.getMessage()));
      if (outcome.changed()) {
        log.info(
            "shared now: {}",
            String.join(" ", shares.all().stream().map(e -> e.spec().text()).toList()));
        sessions.sharesChanged(this::grants);
      }
    } catch (OverlayException e) {
      log.error("the list is not in force: {}", e.getMessage());
      list.stream()
          .filter(ListedShare::open)
          .forEach(
              s -> failures.put(s.spec().path(), "the overlay store failed: " + e.getMessage()));
    }
    return failures;
  }

  private List<Share> grants() {
    return shares.all().stream().map(Packing::share).toList();
  }

  private void listen(Config config, FolderBrowser browser) throws IOException {
    admin = new AdminHandler(host, overlay, watches::changedRecord, this::status);
    listeners.control(
        controlAddress(),
        List.of(admin.bindService(), new SettingsHandler(settings, browser).bindService()),
        control);
    FileServiceHandler files =
        new FileServiceHandler(
            sessions, this::newSession, this::grants, watches.isOpen(), "hostshare " + version);
    for (ListenAddress address : config.listen()) {
      TlsFiles tls = address instanceof ListenAddress.Tcp ? config.tls() : null;
      // Callbacks on the event loop: they only hand the frame on.
      listeners.listen(
          address, tls, config.insecureLoopback(), files.bind(), MoreExecutors.directExecutor());
    }
  }

  private ListenAddress.Unix controlAddress() throws IOException {
    try {
      return new ListenAddress.Unix(StateFolder.controlSocket(state.path()).toAbsolutePath());
    } catch (IllegalArgumentException e) {
      throw new IOException("state folder: " + e.getMessage(), e);
    }
  }

  private Session newSession(String client) {
    ExportSession export = new ExportSession(host, overlay, descriptors, watches, limits);
    Operations operations = new Operations(export, shares, buffers);
    return new Session(client, export, operations, workers, waiters);
  }

  /** Where clients can connect; the control socket comes first. */
  public List<String> addresses() {
    return listeners.addresses();
  }

  private StatusReply status() {
    List<String> addresses = listeners.addresses();
    return StatusReply.newBuilder()
        .setVersion(version)
        .setPid((int) ProcessHandle.current().pid())
        .setUptimeMillis((System.nanoTime() - started) / 1_000_000)
        .addAllListen(addresses.subList(1, addresses.size()))
        .addAllShares(shares.all().stream().map(e -> e.spec().text()).toList())
        .addAllSessions(sessions.status())
        .setOverlayRecords(overlay.size())
        .setCachedDescriptors(descriptors.size())
        .setWatchedDirectories(watches.size())
        .setMaxWatches(maxWatches)
        .setWatchesWork(watches.isOpen())
        .setOverlayBytes(overlay.bytes())
        .build();
  }

  /** Ends connections and sessions; what guests were told is safe is on the disk. */
  @Override
  public void close() throws IOException {
    settingsWatch.close();
    listeners.close();
    sessions.close();
    workers.shutdownNow();
    control.shutdownNow();
    timer.shutdownNow();
    admin.close();
    watches.close();
    shares.close();
    try {
      overlay.sync();
    } catch (ErrnoException e) {
      throw new IOException("the overlay store could not be synced: " + e.getMessage(), e);
    } finally {
      overlay.close();
      state.close();
    }
  }
}
