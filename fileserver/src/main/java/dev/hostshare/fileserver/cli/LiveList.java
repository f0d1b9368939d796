package dev.hostshare.fileserver.cli;

import dev.hostshare.fileserver.rpc.StateFolder;
import dev.hostshare.fileserver.web.SettingsSource;
import dev.hostshare.proto.v1.ListSettings;
import dev.hostshare.proto.v1.Settings;
import dev.hostshare.proto.v1.SettingsServiceGrpc.SettingsServiceBlockingStub;
import dev.hostshare.proto.v1.StatusReply;
import dev.hostshare.proto.v1.StatusRequest;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file-sharing list for as long as somebody looks at it: of the server that runs, of the file
 * alone while none does, and from one to the other when a server is started or ends. Without a
 * server, the state folder is taken for each change only, so that a server can be started
 * meanwhile.
 */
final class LiveList implements SettingsSource, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LiveList.class);

  /** How soon a server that was started is noticed; its socket has no event of its own. */
  private static final int LOOK_MILLIS = 500;

  /** A server that is stopped by a debugger, or an overloaded disk. */
  private static final int CALL_SECONDS = 20;

  private final Path state;
  private final List<Consumer<View>> watchers = new CopyOnWriteArrayList<>();
  private final CountDownLatch closed = new CountDownLatch(1);

  // ---- guarded by this ----
  private AdminClient client;
  private boolean running;
  private View view;

  /**
   * Connects, or opens the list.
   *
   * @throws IOException if neither can be done, with a message for the user
   */
  LiveList(Path state) throws IOException {
    this.state = state;
    open();
    var _ = Thread.ofPlatform().name("list").daemon().start(this::follow);
  }

  private synchronized void open() throws IOException {
    running = AdminClient.isRunning(state);
    if (running) {
      client = AdminClient.connect(state);
    } else {
      try (StateFolder folder = StateFolder.take(state)) {
        client = AdminClient.localSettings(folder.path());
      }
    }
  }

  // ---- following ----

  private void follow() {
    try {
      while (closed.getCount() > 0) {
        followOne();
        reopen();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns when the server is gone, or there is one. */
  private void followOne() throws InterruptedException {
    AdminClient now;
    boolean remote;
    synchronized (this) {
      now = client;
      remote = running;
    }
    if (now == null) {
      return; // closed
    }
    CountDownLatch ended = new CountDownLatch(1);
    now.asyncSettings()
        .watch(
            ListSettings.getDefaultInstance(),
            new StreamObserver<>() {
              @Override
              public void onNext(Settings settings) {
                publish(now, new View(settings, remote));
              }

              @Override
              public void onError(Throwable t) {
                ended.countDown();
              }

              @Override
              public void onCompleted() {
                ended.countDown();
              }
            });
    while (!ended.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
      if (!remote && isRunning()) {
        return;
      }
    }
  }

  private boolean isRunning() {
    try {
      return AdminClient.isRunning(state);
    } catch (IOException e) {
      return false;
    }
  }

  private void publish(AdminClient from, View next) {
    synchronized (this) {
      if (client == from) {
        view = next;
        watchers.forEach(w -> w.accept(next));
      }
    }
  }

  private void reopen() throws InterruptedException {
    AdminClient old;
    synchronized (this) {
      old = client;
      client = null;
    }
    if (old != null) { // else this is closed
      close(old);
    }
    String said = "";
    while (closed.getCount() > 0) {
      try {
        open();
        return;
      } catch (IOException e) {
        // A server that starts or ends has the folder, but answers not yet, or no more.
        if (!said.equals(e.getMessage())) {
          log.info("waiting: {}", e.getMessage());
          said = e.getMessage();
        }
        boolean _ = closed.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      }
    }
  }

  private static void close(AdminClient client) {
    try {
      client.close();
    } catch (IOException e) {
      log.warn("the list was not closed: {}", e.getMessage());
    }
  }

  @Override
  public synchronized AutoCloseable follow(Consumer<View> watcher) {
    watchers.add(watcher);
    if (view != null) {
      watcher.accept(view);
    }
    return () -> watchers.remove(watcher);
  }

  // ---- calls ----

  private record Now(AdminClient client, boolean running) {}

  private synchronized Now now() throws IOException {
    if (client == null) {
      throw new IOException("a server is being started or stopped; try again in a moment");
    }
    return new Now(client, running);
  }

  private static <T> T call(Now now, Function<SettingsServiceBlockingStub, T> call) {
    return call.apply(now.client().settings().withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS));
  }

  @Override
  public <T> T read(Function<SettingsServiceBlockingStub, T> call) throws IOException {
    return call(now(), call);
  }

  @Override
  public <T> T change(Function<SettingsServiceBlockingStub, T> call) throws IOException {
    Now now = now();
    if (now.running()) {
      return call(now, call);
    }
    // As the command line does; its other commands wait no longer than one change takes.
    try (StateFolder _ = StateFolder.take(state)) {
      return call(now, call);
    }
  }

  @Override
  public StatusReply status() throws IOException {
    Now now = now();
    return now.running()
        ? now.client()
            .stub()
            .withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS)
            .status(StatusRequest.getDefaultInstance())
        : null;
  }

  @Override
  public void close() {
    closed.countDown();
    AdminClient last;
    synchronized (this) {
      last = client;
      client = null;
    }
    if (last != null) {
      close(last);
    }
  }
}
