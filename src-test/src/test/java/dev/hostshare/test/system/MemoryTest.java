package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What agent and server have resident, whatever a guest has cached and writes. */
@SystemTest
class MemoryTest {
  private static final int FOLDERS = 700;
  private static final int FILES = 100;

  /** The defaults of --memory, MiB. */
  private static final int AGENT = 150;

  private static final int SERVER = 250;

  /** What compilers and bursts took is given back by then. */
  private static final long SETTLED_NANOS = TimeUnit.SECONDS.toNanos(30);

  private Lab lab;

  @BeforeEach
  void start() {
    lab = Lab.start(Driver.KERNEL, "");
  }

  @AfterEach
  void stop() {
    if (lab != null) {
      lab.close();
    }
  }

  private long status(String name) {
    String json = lab.agent("status", "--json").expectSuccess();
    var found = Pattern.compile("\"" + name + "\":(\\d+)").matcher(json);
    assertTrue(found.find(), json);
    return Long.parseLong(found.group(1));
  }

  private static long residentMib(long pid) throws IOException {
    String status = Files.readString(Path.of("/proc/" + pid + "/status"));
    var found = Pattern.compile("VmRSS:\\s*(\\d+) kB").matcher(status);
    assertTrue(found.find(), status);
    return Long.parseLong(found.group(1)) >> 10;
  }

  /**
   * Some 70,000 files, made by the guest, where there is memory for 65,000; then many who write.
   */
  @Test
  void treesLargerThanTheMemoryAndManyWritersAreBorne() throws Exception {
    String mnt = lab.mnt();
    lab.guest()
        .shell(
            Duration.ofMinutes(4),
            """
            for i in $(seq %d); do
              mkdir %s/folder$i
              cd %s/folder$i
              seq -s '' -f "$(printf %%04d $i) %%02g" 0 99 | head -c 700 | split -b 7 -d - file
            done
            """
                .formatted(FOLDERS, mnt, mnt));
    try (var observer = new Observer(lab.guest())) {
      observer.look("hold", mnt + "/folder3/file03");
      for (int round = 0; round < 2; round++) {
        assertEquals(
            FOLDERS * FILES + "\n",
            lab.guest().run("sh", "-c", "find " + mnt + " -type f -size -5k | wc -l").said());
      }
      awaitAtMost("inodes", 68_000);
      assertTrue(status("inodes") > 30_000, "what there is memory for stays cached");
      lab.guest()
          .shell(
              """
              cd %s
              for i in $(seq 40); do dd if=/dev/zero of=big$i bs=1M count=8 2>/dev/null & done
              wait
              for i in $(seq 40); do [ $(stat -c %%s big$i) = 8388608 ]; done
              for i in $(seq 40); do dd if=/dev/zero of=small$i bs=64k count=128 2>/dev/null & done
              wait
              for i in $(seq 40); do [ $(stat -c %%s small$i) = 8388608 ]; done
              """
                  .formatted(mnt));
      assertEquals("0003 03", observer.look("held", mnt + "/folder3/file03"), "open all the time");
      assertEquals("0001 00", observer.look("read", mnt + "/folder1/file00"), "dropped meanwhile");
      Files.writeString(lab.host().resolve("folder2/file02"), "new");
      observer.await("read", mnt + "/folder2/file02", "new"::equals, 10_000);
    }
    awaitResident("agent", status("pid"), AGENT);
    awaitResident("server", lab.server().pid(), SERVER);
  }

  private void awaitAtMost(String name, long most) {
    long deadline = System.nanoTime() + SETTLED_NANOS;
    while (status(name) > most) {
      assertTrue(System.nanoTime() < deadline, name + ": " + status(name));
    }
  }

  private static void awaitResident(String what, long pid, long most) throws Exception {
    long deadline = System.nanoTime() + SETTLED_NANOS;
    while (residentMib(pid) > most) {
      assertTrue(System.nanoTime() < deadline, what + " has " + residentMib(pid) + " MiB resident");
      Thread.sleep(100); // nothing tells when pages are given back
    }
  }

  @Test
  void memoryIsWhatTheUserAsksFor() throws Exception {
    String before = heap();
    lab.unmount();
    lab.mount("--memory", "1g");
    String option = heap();
    lab.unmount();
    lab.mount("-o", "nosuid,memory=1g,noatime");
    String mountOption = heap();
    assertEquals(option, mountOption);
    assertFalse(option.equals(before), option);
    lab.unmount();
    for (String bad : new String[] {"20m", "100m", "0200m", "1x", "-5m", "m", "1.5g", "129M", ""}) {
      String said = refusal("mount", "--memory", bad);
      assertTrue(said.contains("memory " + bad) && said.contains("130m"), said);
      assertTrue(refusal("mount", "-o", "memory=" + bad).contains("memory " + bad));
    }
    String said =
        lab.hostshare("serve", "--listen", "unix:/nowhere", "--share", "/", "--memory", "20m")
            .expectFailure();
    assertTrue(said.contains("memory 20m is too little: 180m"), said);
  }

  private String refusal(String command, String option, String value) {
    return lab.agent(
            command, "--server", lab.address(), lab.host().toString(), lab.mnt(), option, value)
        .expectFailure();
  }

  /** The JVM's own limit, as it was started. */
  private String heap() throws IOException {
    String line = Files.readString(Path.of("/proc/" + status("pid") + "/cmdline"));
    var found = Pattern.compile("-Xmx\\d+m").matcher(line);
    assertTrue(found.find(), line);
    return found.group();
  }
}
