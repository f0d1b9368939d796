package dev.hostshare.agent.cli;

import dev.hostshare.agent.remote.Session;
import dev.hostshare.agent.remote.SessionException;
import dev.hostshare.agent.remote.SessionListener;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.proto.v1.Invalidate;
import dev.hostshare.proto.v1.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code hostshare-agent run}: for a service manager. */
@Command(
    name = "run",
    description =
        "Mounts every share of a server at its own path and keeps them mounted until SIGTERM.")
final class RunCommand implements Callable<Integer> {
  private static final Logger log = LoggerFactory.getLogger(RunCommand.class);

  /** Between attempts at what failed: a server that is not there yet, a mount point in use. */
  private static final int RETRY_SECONDS = 2;

  @Mixin private ServerOptions server;

  @Option(names = "--driver", paramLabel = "NAME", description = "kernel (default) or jnr.")
  private Driver driver;

  @Option(names = "-o", paramLabel = "OPTION[,OPTION...]", description = "Options of each mount.")
  private List<String> options = new ArrayList<>();

  /** Shares that a thread of ours keeps mounted. */
  private final Set<String> kept = ConcurrentHashMap.newKeySet();

  private final CountDownLatch stop = new CountDownLatch(1);
  private final List<Thread> keepers = new CopyOnWriteArrayList<>();
  private ControlServer control;

  @Override
  public Integer call() throws IOException, InterruptedException {
    MountOptions parsed = MountOptions.parse(options);
    SessionOptions session = server.session(parsed);
    Driver chosen =
        driver != null ? driver : parsed.value("driver").map(Driver::parse).orElse(Driver.kernel);
    var termination = new Termination(this::end);
    try (var listening = new ControlServer()) {
      control = listening;
      Session shares = connect(session, chosen, parsed.flags());
      stop.await();
      if (shares != null) {
        shares.close();
      }
      for (Thread keeper : keepers) {
        keeper.join();
      }
    } finally {
      termination.done();
    }
    return CommandLine.ExitCode.OK;
  }

  /** Connects, however long that takes; null if told to end before. */
  private Session connect(SessionOptions session, Driver chosen, List<String> flags)
      throws InterruptedException {
    var listener = new Shares(session, chosen, flags);
    do {
      try {
        return Session.connect(session, listener);
      } catch (SessionException e) {
        log.warn("{} (trying again every {} s)", e.getMessage(), RETRY_SECONDS);
      }
    } while (!stop.await(RETRY_SECONDS, TimeUnit.SECONDS));
    return null;
  }

  /** Mounts a share, and again whenever it vanishes, until told to end. */
  private void keep(MountRequest request) {
    try {
      do {
        try {
          ActiveMount active = request.mount();
          control.add(active);
          log.info("{}: mounted", request.mountPoint());
          if (stop.getCount() == 0) {
            unmount(active); // it was not on the list yet when that was gone through
          }
          boolean onRequest;
          try {
            active.serve();
          } finally {
            onRequest = control.remove(active);
          }
          log.info("{}: unmounted", request.mountPoint());
          if (onRequest) {
            stop.await(); // hostshare-agent umount: stays so until we are started again
          }
        } catch (IOException e) {
          log.warn("{}: {}", request.mountPoint(), e.getMessage());
        }
      } while (!stop.await(RETRY_SECONDS, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      kept.remove(request.share());
    }
  }

  /** On SIGTERM: unmounts everything, and lets {@link #call} come to its end. */
  private void end() {
    stop.countDown();
    if (control != null) {
      control.mounts().forEach(RunCommand::unmount);
    }
  }

  private static void unmount(ActiveMount active) {
    try {
      active.mount().unmount(true);
    } catch (IOException e) {
      log.error("{}", e.getMessage());
    }
  }

  /**
   * Begins to keep each share that the server grants, at once and whenever it is connected again.
   */
  private final class Shares implements SessionListener {
    private final SessionOptions session;
    private final Driver chosen;
    private final List<String> flags;

    Shares(SessionOptions session, Driver chosen, List<String> flags) {
      this.session = session;
      this.chosen = chosen;
      this.flags = flags;
    }

    @Override
    public void onConnected(List<Share> shares) {
      if (shares.isEmpty()) {
        log.warn("{} shares nothing with us", session.address());
      }
      for (Share share : shares) {
        if (kept.add(share.getPath())) {
          var request =
              new MountRequest(session, share.getPath(), Path.of(share.getPath()), chosen, flags);
          keepers.add(
              Thread.ofPlatform().name("hostshare-keep").daemon().start(() -> keep(request)));
        }
      }
    }

    @Override
    public void onInvalidate(Invalidate invalidate) {}

    @Override
    public void onDisconnected() {}
  }
}
