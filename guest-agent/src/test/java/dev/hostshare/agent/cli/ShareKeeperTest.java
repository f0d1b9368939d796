package dev.hostshare.agent.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.hostshare.agent.remote.ServerAddress;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.agent.remote.TransportSecurity;
import dev.hostshare.agent.testing.FakeServer;
import dev.hostshare.agent.testing.MemoryShare;
import dev.hostshare.proto.v1.Share;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real mounts of shares in memory. Needs root and /dev/fuse.
 *
 * <pre>
 * folder/
 * ├── outer/        of a server that is not there
 * │   └── inner/    of a server in this process
 * └── inner.sock
 * </pre>
 */
@Timeout(60)
final class ShareKeeperTest {
  @TempDir private Path folder;
  private FakeServer server;
  private ControlServer control;
  private ShareKeeper keeper;
  private Thread running;
  private Path outer;
  private Path inner;

  /** Mount points for which the keeper asked how to mount them. */
  private final BlockingQueue<Path> attempts = new LinkedBlockingQueue<>();

  @BeforeEach
  void start() throws IOException {
    assumeTrue(
        Files.isWritable(Path.of("/dev/fuse")) && "root".equals(System.getProperty("user.name")),
        "mounting needs root and /dev/fuse");
    outer = folder.resolve("outer");
    inner = outer.resolve("inner");
    server = new FakeServer(folder.resolve("inner.sock"));
    control = new ControlServer();
    keeper = new ShareKeeper(control, this::request);
    running =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    keeper.run();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
  }

  @AfterEach
  void stop() throws InterruptedException {
    if (running != null) {
      keeper.stop();
      running.join();
      control.close();
      server.close();
    }
  }

  private MountRequest request(Share share) {
    Path mountPoint = Path.of(share.getPath());
    attempts.add(mountPoint);
    if (mountPoint.endsWith("broken")) {
      throw new IllegalStateException("a fault of ours");
    }
    return new MountRequest(
        new SessionOptions(
            new ServerAddress.Unix(folder.resolve(mountPoint.getFileName() + ".sock")),
            TransportSecurity.NONE,
            Duration.ofMillis(500),
            "test"),
        MemoryShare.PATH,
        mountPoint,
        Driver.kernel,
        List.of());
  }

  private static Share share(String path) {
    return MemoryShare.share().toBuilder().setPath(path).build();
  }

  private void awaitAttempt(Path mountPoint) throws InterruptedException {
    assertEquals(mountPoint, attempts.poll(10, TimeUnit.SECONDS));
  }

  /** For the moment from an attempt to the mount: there is no event of it. */
  private static void awaitMounted(Path path) throws IOException {
    while (MountTable.at(path).isEmpty()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void shareThatCannotBeNamedOrMountedLeavesTheOthersAlone() throws Exception {
    Path broken = folder.resolve("broken");
    keeper.update(List.of(share("/a\0b"), share(broken.toString()), share(inner.toString())));
    awaitAttempt(broken);
    awaitAttempt(inner);
    awaitMounted(inner);
    awaitAttempt(broken); // again
    assertTrue(MountTable.at(inner).isPresent());
  }

  @Test
  void shareStaysWhileOneAroundItCannotBeMounted() throws Exception {
    keeper.update(List.of(share(inner.toString())));
    awaitAttempt(inner);
    awaitMounted(inner);

    keeper.update(List.of(share(outer.toString()), share(inner.toString())));
    awaitAttempt(outer);
    awaitAttempt(outer); // again, and the inner one was not mounted anew in between
    assertTrue(MountTable.at(inner).isPresent());
    assertFalse(MountTable.at(outer).isPresent());
  }

  /** Another mount namespace has the mount still, as a container would. */
  @Test
  void whatIsUnmountedOnRequestStaysSoEvenIfItIsServedOn() throws Exception {
    keeper.update(List.of(share(inner.toString())));
    awaitAttempt(inner);
    awaitMounted(inner);
    Process other =
        new ProcessBuilder("unshare", "--mount", "sh", "-c", "echo ready; cat >/dev/null").start();
    try {
      assertEquals("ready", other.inputReader().readLine());

      assertEquals(Optional.of("shared"), ask("umount " + inner));
      assertEquals(Optional.of("no"), ask("owner " + inner));
      Path broken = folder.resolve("broken");
      keeper.update(List.of(share(broken.toString()), share(inner.toString())));

      awaitAttempt(broken);
      awaitAttempt(broken); // again, and the one that was unmounted not in between
      assertTrue(MountTable.at(inner).isEmpty());
      assertTrue(Files.isDirectory(inner), "it is the other namespace's mount point, too");
      assertTrue(ask("status text").orElseThrow().contains(inner.toString()));
    } finally {
      other.outputWriter().close();
      other.waitFor();
    }
    while (Files.exists(inner)) { // the mount point that the keeper made
      Thread.onSpinWait();
    }
  }

  private static Optional<String> ask(String request) throws IOException {
    return ControlClient.ask(ProcessHandle.current(), request);
  }
}
