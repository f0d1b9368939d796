package dev.hostshare.agent.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.remote.ServerAddress;
import dev.hostshare.agent.remote.SessionOptions;
import dev.hostshare.agent.remote.TransportSecurity;
import dev.hostshare.agent.testing.FakeServer;
import dev.hostshare.agent.testing.MemoryShare;
import dev.hostshare.proto.v1.ClientFrame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real mount of a share in memory. Needs root and /dev/fuse. */
@Timeout(60)
final class KernelMountTest {
  @TempDir private Path folder;
  private FakeServer server;
  private FileSystem fs;
  private KernelMount mount;
  private Path root;

  @BeforeEach
  void mount() throws IOException {
    assumeTrue(
        Files.isWritable(Path.of("/dev/fuse")) && "root".equals(System.getProperty("user.name")),
        "mounting needs root and /dev/fuse");
    server = new FakeServer(folder.resolve("s"));
    server.share.put("/hello", "world");
    for (int i = 0; i < 1000; i++) {
      server.share.put("/many/entry-%04d".formatted(i), "");
    }
    root = Files.createDirectory(folder.resolve("mnt"));
    fs =
        FileSystem.connect(
            new SessionOptions(
                new ServerAddress.Unix(folder.resolve("s")),
                TransportSecurity.NONE,
                Duration.ofMillis(500),
                "test"),
            MemoryShare.PATH);
    mount =
        KernelMount.mount(
            fs,
            MemoryShare.PATH,
            root,
            MountFlags.of(List.of("nosuid")),
            folder.resolve("staging"));
  }

  @AfterEach
  void unmount() throws Exception {
    if (mount != null) {
      mount.unmount(true);
      boolean unmounted = mount.awaitUnmounted(Duration.ofSeconds(20));
      fs.close();
      server.close();
      assertTrue(unmounted);
    }
  }

  @Test
  void readsAndWrites() throws Exception {
    assertEquals("world", Files.readString(root.resolve("hello")));
    String large = "0123456789abcdef".repeat(200_000); // several requests of the largest size
    Files.writeString(root.resolve("large"), large);
    assertEquals(large, Files.readString(root.resolve("large")));
    Files.writeString(root.resolve("large"), "tail", StandardOpenOption.APPEND);
    assertEquals(large.length() + 4, Files.size(root.resolve("large")));
  }

  @Test
  void listsADirectoryLargerThanOneReply() throws Exception {
    try (Stream<Path> entries = Files.list(root.resolve("many"))) {
      assertEquals(1000, entries.distinct().count());
    }
  }

  @Test
  void showsAChangeOnTheHostToWhoeverOpensTheFile() throws Exception {
    assertEquals("world", Files.readString(root.resolve("hello")));
    server.share.put("/hello", "a longer text than before");
    assertEquals("a longer text than before", Files.readString(root.resolve("hello")));
  }

  @Test
  void saysWhichFileIsMissing() {
    assertThrows(NoSuchFileException.class, () -> Files.size(root.resolve("missing")));
  }

  @Test
  void failsInsteadOfHangingWhenTheServerIsAway() throws Exception {
    server.stop();
    // The first waits for the timeout, those after it do not.
    assertThrows(FileSystemException.class, () -> Files.size(root.resolve("hello")));
    assertThrows(FileSystemException.class, () -> Files.size(root.resolve("other")));

    mount.unmount(false);
    mount.awaitUnmounted();
    try (Stream<Path> entries = Files.list(root)) {
      assertEquals(0, entries.count());
    }
  }

  @Test
  void canBeUnmountedWhileTheServerOwesAnAnswer() throws Exception {
    server.hold(ClientFrame.OpCase.MKDIR);
    var made =
        CompletableFuture.runAsync(
            () -> assertThrows(IOException.class, () -> Files.createDirectory(root.resolve("d"))));
    while (!server.next().hasMkdir()) {}

    mount.unmount(true);
    assertFalse(Files.exists(root.resolve("hello")), "taken out of the tree");

    fs.close(); // as the end of the process does
    made.get(10, TimeUnit.SECONDS);
    mount.awaitUnmounted();
    assertEquals(0, mount.pendingRequests());
  }

  @Test
  void endsWithItsFileSystemEvenWhileInUse() throws Exception {
    var file = FileChannel.open(root.resolve("hello"));
    mount.unmount(true);
    fs.close();
    mount.awaitUnmounted();
    assertThrows(IOException.class, () -> file.read(ByteBuffer.allocate(1)));
    assertThrows(IOException.class, file::close, "ENOTCONN of its flush");
  }
}
