package dev.hostshare.perf.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareCommandTest {
  @TempDir Path folder;

  /** Mounts: takes root. */
  @Test
  void measuresADiskAndAMountAndLeavesNothing() throws IOException {
    assumeTrue(isRoot() && Files.isWritable(Path.of("/dev/fuse")), "not root, or no /dev/fuse");
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/bindfs")), "bindfs is not installed");
    var work = Files.createDirectory(folder.resolve("work"));
    var markdown = folder.resolve("table.md");
    int status =
        CompareCommand.run(
            "--targets=ext4,bindfs",
            "--only=create,stat-cold,list-warm,rename,seq-write,seq-read-cold",
            "--rounds=1",
            "--files=200",
            "--size=2M",
            "--dir=" + work,
            "--markdown=" + markdown);
    assertEquals(0, status);
    assertTrue(Files.readString(markdown).contains("| list + attributes, warm | µs | "));
    try (Stream<Path> left = Files.list(work)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void tellsWrongArguments() {
    assertEquals(2, CompareCommand.run("--targets=nfs"));
    assertEquals(2, CompareCommand.run("--targets=ext4", "--only=dance"));
    assertEquals(2, CompareCommand.run("--targets=ext4", "--size=12"));
    assertEquals(2, CompareCommand.run("--targets=ext4", "--rounds=0"));
    assertEquals(2, CompareCommand.run("--hostshare=a=/x", "--hostshare=a=/y"));
  }

  private static boolean isRoot() throws IOException {
    return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
  }
}
