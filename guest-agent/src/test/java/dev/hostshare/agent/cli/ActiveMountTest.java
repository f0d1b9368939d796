package dev.hostshare.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.ShareMount;
import dev.hostshare.agent.remote.ServerAddress;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.agent.remote.TransportSecurity;
import dev.hostshare.agent.testing.FakeServer;
import dev.hostshare.agent.testing.MemoryShare;
import dev.hostshare.proto.v1.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real session, and a mount that is as slow as the test wants it. */
@Timeout(60)
final class ActiveMountTest {
  private static final Share READ_ONLY = MemoryShare.share().toBuilder().setReadOnly(true).build();

  @TempDir private Path folder;
  private FakeServer server;
  private FileSystem fs;
  private final SlowMount mount = new SlowMount();
  private ActiveMount active;

  /** Each remount waits for a permit. */
  private static final class SlowMount implements ShareMount {
    final BlockingQueue<Boolean> remounts = new LinkedBlockingQueue<>();
    final Semaphore permits = new Semaphore(0);

    @Override
    public void showReadOnly(boolean readOnly) {
      remounts.add(readOnly);
      permits.acquireUninterruptibly();
    }

    @Override
    public Path mountPoint() {
      return Path.of("/slow");
    }

    @Override
    public String driver() {
      return "slow";
    }

    @Override
    public int pendingRequests() {
      return 0;
    }

    @Override
    public void unmount(boolean detach) {}

    @Override
    public void awaitUnmounted() {}

    @Override
    public boolean awaitUnmounted(Duration time) {
      return true;
    }
  }

  @BeforeEach
  void mount() throws IOException {
    server = new FakeServer(folder.resolve("s"));
    var options =
        new SessionOptions(
            new ServerAddress.Unix(folder.resolve("s")),
            TransportSecurity.NONE,
            Duration.ofSeconds(20),
            "test");
    fs = FileSystem.connect(options, MemoryShare.PATH);
    active =
        new ActiveMount(
            new MountRequest(
                options, MemoryShare.PATH, mount.mountPoint(), Driver.kernel, List.of()),
            fs,
            mount);
  }

  @AfterEach
  void close() throws InterruptedException {
    fs.close();
    server.close();
  }

  private Boolean remount() throws InterruptedException {
    return mount.remounts.poll(10, TimeUnit.SECONDS);
  }

  @Test
  void changeThatComesDuringARemountIsShown() throws Exception {
    active.onChanged(READ_ONLY);
    assertEquals(true, remount());
    active.onChanged(MemoryShare.share());
    mount.permits.release();
    assertEquals(false, remount());
    mount.permits.release();
  }

  @Test
  void mountThatIsOutOfTheTreeIsNotRemounted() {
    mount.permits.release(2);
    active.detach();
    active.onChanged(READ_ONLY);
    active.show();
    assertNull(mount.remounts.poll());
  }
}
