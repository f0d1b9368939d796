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
import java.util.concurrent.Callable;
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

  @Mixin private ServerOptions server;

  @Option(names = "--driver", paramLabel = "NAME", description = "kernel (default) or jnr.")
  private Driver driver;

  @Option(names = "-o", paramLabel = "OPTION[,OPTION...]", description = "Options of each mount.")
  private List<String> options = new ArrayList<>();

  private final CountDownLatch stop = new CountDownLatch(1);
  private volatile ShareKeeper keeper;

  @Override
  public Integer call() throws IOException, InterruptedException {
    MountOptions parsed = MountOptions.parse(options);
    SessionOptions session = server.session(parsed);
    Driver chosen =
        driver != null ? driver : parsed.value("driver").map(Driver::parse).orElse(Driver.kernel);
    var termination = new Termination(this::end);
    try (var control = new ControlServer()) {
      var shares =
          new ShareKeeper(
              control,
              share ->
                  new MountRequest(
                      session, share.getPath(), Path.of(share.getPath()), chosen, parsed.flags()));
      keeper = shares;
      if (stop.getCount() == 0) {
        shares.stop();
      }
      Session connection = connect(session, shares);
      shares.run();
      if (connection != null) {
        connection.close();
      }
    } finally {
      termination.done();
    }
    return CommandLine.ExitCode.OK;
  }

  /** Connects, however long that takes; null if told to end before. */
  private Session connect(SessionOptions session, ShareKeeper shares) throws InterruptedException {
    var listener = new Listener(session, shares);
    do {
      try {
        return Session.connect(session, listener);
      } catch (SessionException e) {
        log.warn("{} (trying again every {} s)", e.getMessage(), ShareKeeper.RETRY_SECONDS);
      }
    } while (!stop.await(ShareKeeper.RETRY_SECONDS, TimeUnit.SECONDS));
    return null;
  }

  /** On SIGTERM: unmounts everything, and lets {@link #call} come to its end. */
  private void end() {
    stop.countDown();
    if (keeper != null) {
      keeper.stop();
    }
  }

  /** Hears which shares there are, at once, whenever that changes, and when connected again. */
  private record Listener(SessionOptions session, ShareKeeper keeper) implements SessionListener {
    @Override
    public void onShares(List<Share> shares) {
      if (shares.isEmpty()) {
        log.warn("{} shares nothing with us", session.address());
      }
      keeper.update(shares);
    }

    @Override
    public void onInvalidate(Invalidate invalidate) {}

    @Override
    public void onDisconnected() {}
  }
}
