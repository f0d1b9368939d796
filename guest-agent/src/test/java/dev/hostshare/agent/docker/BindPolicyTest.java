package dev.hostshare.agent.docker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With /dev/shm, a file system of its own, for what is shared. */
final class BindPolicyTest {
  @TempDir private Path temporary;
  private Path share;
  private BindPolicy policy;

  @BeforeEach
  void makeShare() throws Exception {
    assumeTrue(Files.isDirectory(Path.of("/dev/shm")));
    share = Files.createTempDirectory(Path.of("/dev/shm"), "share");
    Files.createDirectory(share.resolve("app"));
    int mount = Location.of(share.toString()).mountId();
    policy =
        new BindPolicy(id -> id == mount, AllowedPaths.of(false, List.of("/proc", "/dev/null")));
  }

  @AfterEach
  void removeShare() throws IOException {
    if (share == null) {
      return;
    }
    try (var files = Files.walk(share)) {
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.delete(file);
      }
    }
  }

  private Optional<String> refusal(String body) {
    return policy.refusal(Endpoint.CONTAINER_CREATE, body.getBytes(UTF_8), () -> true);
  }

  private Optional<String> binding(String source) {
    return refusal("{\"HostConfig\":{\"Binds\":[\"" + source + ":/x\"]}}");
  }

  @Test
  void whatIsSharedOrAllowedMayBeBound() {
    for (String source :
        List.of(
            share + "/app",
            share + "/app/not/yet",
            share + "/app/../app",
            share + "/not/../app",
            "/proc",
            "/proc/sys/kernel",
            "/dev/null")) {
      assertEquals(Optional.empty(), binding(source), source);
    }
  }

  @Test
  void everythingElseIsRefused() throws IOException {
    Files.createSymbolicLink(share.resolve("out"), temporary);
    Files.createSymbolicLink(share.resolve("nowhere"), Path.of("/none/at/all"));
    Files.createSymbolicLink(temporary.resolve("into"), share);
    for (String source :
        List.of(
            temporary.toString(),
            "/",
            "/dev",
            "/dev/nullx",
            "/dev/null2",
            "/procx",
            share + "/out",
            share + "/out/deeper",
            share + "/nowhere",
            share + "/../../../etc",
            share + "/not/../../../../etc",
            // By name it leads back to where it began, by the kernel's way above the share.
            temporary + "/into/..",
            temporary + "/into/../" + share.getFileName() + "/../../../etc",
            "/proc/self/root/etc")) {
      assertTrue(binding(source).orElse("").startsWith("Mounts denied: "), source);
    }
    assertEquals(Optional.empty(), binding(temporary + "/into/app"));
  }

  /** The kernel goes to the share's parent, the engine to what the link lies in. */
  @Test
  void bothWaysMustLeadIn() throws IOException {
    Files.createDirectories(share.resolve("app/deep"));
    Files.createSymbolicLink(temporary.resolve("deep"), share.resolve("app/deep"));
    assertTrue(binding(temporary + "/deep/../x").isPresent());
    Files.createSymbolicLink(share.resolve("etc"), Path.of("/etc"));
    assertTrue(binding(share + "/etc/../app").isPresent());
  }

  @Test
  void wordsNameThePathAndTheWayOut() throws IOException {
    assertEquals(
        "Mounts denied: The path /none/a is not shared from the host and is not known to Docker.\n"
            + "You can share it with `hostshare shares add /none/a` on the host, or on the page that `hostshare settings` opens.",
        binding("/none/a").orElseThrow());
    Files.createSymbolicLink(share.resolve("out"), Path.of("/none/it's"));
    assertEquals(
        "Mounts denied: The path /none/a b is not shared from the host and is not known to Docker.\n"
            + "The path %1$s/out is not shared from the host and is not known to Docker: it leads to /none/it's.\n"
                .formatted(share)
            + "You can share them with `hostshare shares add '/none/a b'`, `hostshare shares add '/none/it'\\''s'` on the host,"
            + " or on the page that `hostshare settings` opens.",
        refusal("{\"Binds\":[\"/none/a b:/x\",\"/proc:/p\",\"" + share + "/out:/y\"]}")
            .orElseThrow());
  }

  @Test
  void wordsAreBoundedAndOfOneTerminal() {
    var binds = new StringBuilder("{\"Binds\":[");
    for (int i = 0; i < 900; i++) {
      binds
          .append(i == 0 ? "" : ",")
          .append("\"/none/\\u001b[2J\\n")
          .append("é".repeat(600))
          .append(i)
          .append(":/a\"");
    }
    String words = refusal(binds + "]}").orElseThrow();
    assertTrue(words.contains("So are 890 more."), words);
    assertTrue(words.length() < 20_000, () -> "" + words.length());
    assertTrue(words.lines().count() == 12, words);
    assertTrue(words.indexOf('\u001b') < 0, words);
  }

  @Test
  void relativeAllowedPathIsAnError() {
    assertThrows(IllegalArgumentException.class, () -> AllowedPaths.of(true, List.of("srv")));
  }

  @Test
  void defaultsAreNoPlacesOfUsers() throws Exception {
    var defaults = AllowedPaths.of(true, List.of());
    for (String path :
        List.of("/var/run/docker.sock", "/sys/fs/cgroup", "/var/lib/docker", "/etc/localtime")) {
      assertTrue(defaults.contain(Location.of(path)), path);
    }
    for (String path :
        List.of(
            "/",
            "/home",
            "/home/me",
            "/Users/me",
            "/var",
            "/var/folders/x",
            "/etc",
            "/opt",
            "/srv",
            "/none")) {
      assertTrue(!defaults.contain(Location.of(path)), path);
    }
  }

  /**
   * An unshared path at a random place where an engine takes one, among random others, with keys in
   * any case, escapes and repetitions.
   */
  @Test
  void unsharedPathIsFoundWhateverIsAroundIt() {
    for (int seed = 0; seed < 5_000; seed++) {
      var random = new RandomBody(new Random(seed), share + "/app");
      String body = random.with("/none/at/all");
      int number = seed;
      assertTrue(refusal(body).isPresent(), () -> "seed " + number + ": " + body);
    }
  }

  /** The same without it: neither refused, nor is anything thrown. */
  @Test
  void sharedPathsAreAllowedWhateverIsAroundThem() {
    for (int seed = 0; seed < 5_000; seed++) {
      String body = new RandomBody(new Random(seed), share + "/app").with(share + "/app/x");
      int number = seed;
      assertEquals(Optional.empty(), refusal(body), () -> "seed " + number + ": " + body);
    }
  }

  /** Bytes of a body exchanged, left out and doubled: no exception, and an answer at once. */
  @Test
  void damagedBodiesAreAnswered() {
    for (int seed = 0; seed < 5_000; seed++) {
      var random = new Random(seed);
      byte[] body = new RandomBody(random, share + "/app").with("/none").getBytes(UTF_8);
      for (int i = random.nextInt(8); i >= 0; i--) {
        int at = random.nextInt(body.length);
        body[at] =
            random.nextBoolean() ? (byte) random.nextInt() : body[random.nextInt(body.length)];
      }
      for (Endpoint endpoint : Endpoint.values()) {
        assertTrue(policy.refusal(endpoint, body, () -> true) != null);
      }
    }
  }
}
