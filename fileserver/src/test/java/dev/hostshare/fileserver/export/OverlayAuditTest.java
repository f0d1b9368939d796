package dev.hostshare.fileserver.export;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.hostshare.fileserver.export.OverlayAudit.Finding;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.LinuxHost;
import dev.hostshare.fileserver.overlay.OverlayStore;
import dev.hostshare.fileserver.overlay.RecordChange;
import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real files and a real store; so few records in a part that there are many parts. */
final class OverlayAuditTest {
  private static final int LOST_IN_A_PART = 3;
  private static final int EACH = 10;

  @TempDir private Path temp;
  private final HostFs host = new LinuxHost();
  private Path share;
  private OverlayStore overlay;

  @BeforeEach
  void open() throws IOException {
    share = Files.createDirectory(temp.resolve("share"));
    overlay = OverlayStore.open(Files.createDirectory(temp.resolve("state")));
    overlay.rememberRoots(List.of(share.toString()));
  }

  @AfterEach
  void close() throws IOException {
    overlay.close();
  }

  private HostPaths paths(HostFs from) {
    return new HostPaths(from, new Volumes(from, overlay));
  }

  private OverlayAudit audit(HostFs from) {
    return new OverlayAudit(overlay, paths(from), LOST_IN_A_PART);
  }

  /** Makes a file with a record. */
  private void make(String name) throws Exception {
    Path file = share.resolve(name);
    Files.createDirectories(file.getParent());
    Files.createFile(file);
    HostPaths.Found found = paths(host).find(file);
    overlay.change(found.id(), found.place(), new RecordChange().uid(999));
  }

  /** What an audit finds, by the place where each was: "MOVED e/0", "GONE", "UNREACHABLE". */
  private Map<String, String> verify(HostFs from) throws ErrnoException {
    var findings = new TreeMap<String, String>();
    audit(from)
        .verify(
            new OverlayAudit.Report() {
              @Override
              public void found(Finding f) {
                String what = f.state() + (f.now() == null ? "" : " " + name(f.now()));
                assertEquals(null, findings.put(name(f.path()), what), "found twice");
              }

              @Override
              public void goOn() {}
            });
    return findings;
  }

  private String name(String path) {
    return share.relativize(Path.of(path)).toString();
  }

  @Test
  void eachIsFoundWhereItIsInAnyNumberOfParts() throws Exception {
    var expected = new TreeMap<String, String>();
    for (int i = 0; i < EACH; i++) {
      for (String folder : List.of("stays", "renamed", "gone", "moved")) {
        make(folder + "/" + i);
      }
      expected.put("renamed/" + i, "MOVED now/" + i);
      expected.put("moved/" + i, "MOVED stays/deeper/" + i);
      expected.put("gone/" + i, "GONE");
    }
    Files.createDirectory(share.resolve("stays/deeper"));
    Files.move(share.resolve("renamed"), share.resolve("now"));
    for (int i = 0; i < EACH; i++) {
      Files.delete(share.resolve("gone/" + i));
      Files.move(share.resolve("moved/" + i), share.resolve("stays/deeper/" + i));
    }
    assertEquals(expected, verify(host));
    // What moved is where it was seen last; that of a folder with another name, too.
    expected.keySet().removeIf(name -> !name.startsWith("gone"));
    assertEquals(expected, verify(host));
    assertEquals(EACH, audit(host).collect(() -> {}));
    assertEquals(new TreeMap<>(), verify(host));
    assertEquals(3 * EACH, overlay.size());
  }

  /** A folder that the server may not enter for now has not lost its files. */
  @Test
  void whatMayNotBeLookedAtIsNotGone() throws Exception {
    for (int i = 0; i < EACH; i++) {
      make("hidden/deep/" + i);
      make("other/deep/" + i);
    }
    assertEquals(new TreeMap<>(), verify(host));
    HostFs hiding = hiding("hidden");
    assertEquals(List.of("UNREACHABLE"), verify(hiding).values().stream().distinct().toList());
    assertEquals(EACH, verify(hiding).size());
    assertEquals(0, audit(hiding).collect(() -> {}));
    // Another folder has its name now: where the records say, there is nothing.
    Files.move(share.resolve("other"), share.resolve("private"));
    hiding = hiding("hidden", "private");
    assertEquals(0, audit(hiding).collect(() -> {}));
    Files.delete(share.resolve("hidden/deep/0"));
    hiding = hiding("private");
    assertEquals("UNREACHABLE private", verify(hiding).get("other/deep/0"));
    assertEquals("UNREACHABLE private", verify(hiding).get("hidden/deep/0"));
    assertEquals(2 * EACH, overlay.size());
    assertEquals(1, audit(host).collect(() -> {}));
  }

  @Test
  void withoutItsFolderNothingIsSaid() throws Exception {
    make("f");
    Files.move(share, temp.resolve("away"));
    assertEquals("UNREACHABLE", verify(host).get("f"));
    assertEquals(0, audit(host).collect(() -> {}));
  }

  /** The host, but for folders of these names, which give EACCES: root may enter any. */
  private HostFs hiding(String... names) {
    return (HostFs)
        Proxy.newProxyInstance(
            HostFs.class.getClassLoader(),
            new Class<?>[] {HostFs.class},
            (_, method, arguments) -> {
              boolean hidden =
                  Stream.of(names)
                      .anyMatch(
                          name ->
                              (method.getName().equals("openNamed")
                                      && ((Path) arguments[0]).startsWith(share.resolve(name)))
                                  || (method.getName().equals("open")
                                      && arguments[1] instanceof byte[] opened
                                      && Arrays.equals(
                                          opened, name.getBytes(StandardCharsets.UTF_8))));
              if (hidden) {
                throw ErrnoException.of(Errno.EACCES);
              }
              try {
                return method.invoke(host, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
