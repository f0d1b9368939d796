package dev.hostshare.agent.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.hostshare.agent.kernel.Unmount;
import dev.hostshare.agent.remote.ServerAddress;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.agent.remote.TransportSecurity;
import dev.hostshare.agent.testing.FakeServer;
import dev.hostshare.agent.testing.MemoryShare;
import dev.hostshare.proto.v1.ClientFrame;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real mount of a share in memory. Needs root and /dev/fuse. */
@Timeout(60)
final class MountProcessTest {
  @TempDir private Path folder;

  @Test
  void endThatComesWhileItMountsAgainLeavesNothingMounted() throws Exception {
    assumeTrue(
        Files.isWritable(Path.of("/dev/fuse")) && "root".equals(System.getProperty("user.name")),
        "mounting needs root and /dev/fuse");
    var server = new FakeServer(folder.resolve("s"));
    var root = Files.createDirectory(folder.resolve("mnt"));
    var request =
        new MountRequest(
            new SessionOptions(
                new ServerAddress.Unix(folder.resolve("s")),
                TransportSecurity.NONE,
                Duration.ofMillis(500),
                "test"),
            MemoryShare.PATH,
            root,
            Driver.kernel,
            List.of());
    try (var control = new ControlServer()) {
      var process = new MountProcess(request, control);
      ActiveMount first = process.mount();
      while (!server.next().hasMount()) {}
      var served =
          CompletableFuture.runAsync(
              () -> {
                try {
                  process.serve(first);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });

      server.hold(ClientFrame.OpCase.MOUNT);
      server.changeShares(List.of());
      while (!server.next().hasMount()) {}
      process.end();
      server.release();

      served.get(20, TimeUnit.SECONDS);
      assertTrue(MountTable.at(root).isEmpty());
    } finally {
      Unmount.unmount(root, true);
      server.close();
    }
  }
}
