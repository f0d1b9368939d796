package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A real engine that asks the plugin before it creates a container. */
@SystemTest
class DockerPluginTest {
  private static final String CREATE = "/v1.41/containers/create";
  private static final String DENIED = "Mounts denied: ";

  private static Lab lab;
  private static DockerPlugin plugin;
  private static DockerEngine engine;
  private static int serial;

  /** A folder in the mount; of the guest's side. */
  private String app;

  /** One that is in the guest, but not shared, and that is not there yet. */
  private String unshared;

  @BeforeAll
  static void start() throws IOException {
    lab = Lab.start();
    plugin = DockerPlugin.start(lab.guest());
    engine = DockerEngine.start(lab.guest(), "--authorization-plugin=hostshare");
  }

  @AfterAll
  static void stop() {
    try {
      if (engine != null) {
        engine.close();
      }
    } finally {
      if (plugin != null) {
        plugin.close();
      }
      if (lab != null) {
        lab.close();
      }
    }
  }

  @BeforeEach
  void makeFolder() {
    app = lab.mnt() + "/app" + serial;
    unshared = lab.folder() + "/unshared" + serial++;
    lab.guest().run("mkdir", app).expectSuccess();
  }

  private static String denied(String path) {
    return DENIED + "The path " + path + " is not shared from the host and is not known to Docker.";
  }

  private static Command run(String... arguments) {
    var line = new ArrayList<>(List.of("run", "--rm", "--network=none"));
    line.addAll(Arrays.asList(arguments));
    return engine.docker(line.toArray(String[]::new));
  }

  private static void assertSays(String expected, String said) {
    assertTrue(said.contains(expected), said);
  }

  /** Sends a request to the engine's socket; answers status and body. */
  private static String api(String path, String body, String... curl) {
    var line =
        new ArrayList<>(
            List.of(
                "curl",
                "--silent",
                "--unix-socket",
                "/run/docker.sock",
                "--path-as-is",
                "--write-out",
                " %{http_code}",
                "--header",
                "Content-Type: application/json",
                "--data-binary",
                body,
                "http://docker" + path));
    line.addAll(Arrays.asList(curl));
    return lab.guest().run(line.toArray(String[]::new)).expectSuccess();
  }

  private void assertNothingIsMade() {
    assertFalse(Files.exists(Path.of(unshared)), unshared);
    assertEquals("", engine.docker("ps", "-aq").expectSuccess());
  }

  @Test
  void sharedFolderMayBeBound() throws IOException {
    run("-v", app + ":/app", "busybox", "touch", "/app/made").expectSuccess();
    run("--mount", "type=bind,source=" + app + ",target=/app", "busybox", "ls", "/app/made")
        .expectSuccess();
    assertTrue(Files.exists(lab.host().resolve(Path.of(app).getFileName()).resolve("made")));
  }

  @Test
  void unsharedFolderIsRefusedInDesktopsWords() {
    for (var arguments :
        List.of(
            List.of("-v", unshared + ":/app"),
            List.of("-v", unshared + ":/app:ro"),
            List.of("-v", app + ":/app", "-v", unshared + ":/b"),
            List.of("--mount", "type=bind,source=" + unshared + ",target=/app"))) {
      var line = new ArrayList<>(arguments);
      line.addAll(List.of("busybox", "true"));
      var said = run(line.toArray(String[]::new)).expectFailure();
      assertSays("authorization denied by plugin hostshare: " + denied(unshared), said);
      assertSays("hostshare shares add " + unshared, said);
      assertNothingIsMade();
    }
    assertSays("refused POST " + "/v1.", plugin.log());
  }

  @Test
  void severalAreNamedAtOnce() {
    var said =
        run("-v", unshared + ":/a", "-v", app + ":/b", "-v", unshared + "2:/c", "busybox", "true")
            .expectFailure();
    // In any order: docker's command line keeps its -v in a map.
    assertSays(DENIED + "The path " + unshared, said);
    assertSays("The path " + unshared + " is not shared from the host", said);
    assertSays("The path " + unshared + "2 is not shared from the host", said);
    assertFalse(said.contains(app + " "), said);
    assertNothingIsMade();
  }

  @Test
  void whatIsMissingOnAShareIsTheEnginesBusiness() {
    run("-v", app + "/not/yet:/app", "busybox", "touch", "/app/f").expectSuccess();
    assertEquals("f", lab.guest().shell("ls " + app + "/not/yet"));
    assertSays(
        "bind source path does not exist: " + app + "/other",
        run("--mount", "type=bind,source=" + app + "/other,target=/app", "busybox", "true")
            .expectFailure());
  }

  @Test
  void neitherLinksNorParentsLeadOut() {
    lab.guest()
        .shell(
            "mkdir %1$s; ln -s %1$s %2$s/out; ln -s %2$s %1$s/in; ln -s %1$s/none %2$s/nowhere; ln -s /proc/self/root %1$s/root"
                .formatted(unshared, app));
    for (var source :
        List.of(
            app + "/../../" + Path.of(unshared).getFileName(),
            app + "/none/../../../" + Path.of(unshared).getFileName(),
            app + "/out",
            app + "/out/deeper",
            app + "/nowhere",
            unshared + "/root" + unshared,
            unshared + "/in/..",
            lab.folder().toString(),
            "/")) {
      assertSays(DENIED, api(CREATE, binds(source)));
      assertSays(DENIED, run("-v", source + ":/app", "busybox", "true").expectFailure());
    }
    assertEquals("in\nroot", lab.guest().shell("ls " + unshared));
    // A link of the guest's into the share is as good as the share.
    run("-v", unshared + "/in:/app", "busybox", "touch", "/app/made").expectSuccess();
    assertSays("made", lab.guest().shell("ls " + app));
    lab.guest().shell("rm -r " + unshared);
  }

  @Test
  void othersAreUntouched() {
    run(
            "-v",
            "named" + serial + ":/v",
            "-v",
            "/anonymous",
            "--tmpfs",
            "/t",
            "busybox",
            "touch",
            "/v/f",
            "/t/f")
        .expectSuccess();
    run("--mount", "type=volume,source=named" + serial + ",target=/v", "busybox", "ls", "/v/f")
        .expectSuccess();
    run("--mount", "type=tmpfs,target=/t", "busybox", "touch", "/t/f").expectSuccess();
    for (var own :
        List.of("/var/run/docker.sock", "/run/docker.sock", "/dev/null", "/sys", "/lib/modules")) {
      var made = run("-v", own + ":/own", "busybox", "ls", "/own");
      assertFalse(made.said().contains(DENIED), made.said());
    }
    engine.docker("info").expectSuccess();
    engine.docker("volume", "rm", "named" + serial).expectSuccess();
  }

  private static String binds(String source) {
    return "{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"%s:/x\"]}}".formatted(source);
  }

  /** What clients may send; the engine understands each, as the shared folder shows. */
  @Test
  void everyWayToNameABindIsSeen() {
    for (var form :
        List.of(
            binds("%s"),
            "{'Image':'busybox','HostConfig':{'Mounts':[{'Type':'bind','Source':'%s','Target':'/x','BindOptions':{'Propagation':'rprivate'}}]}}",
            "{'image':'busybox','hostconfig':{'binds':['%s:/x']}}",
            "{'Image':'busybox','HO\u017fTconfig':{'bind\u017f':['%s:/x']}}",
            "{'Image':'busybox','HostConfig':{'\\u0042inds':['%s:/x']}}",
            "{'Image':'busybox','HostConfig':{'Binds':['%s:/x']},'HostConfig':{'Memory':0}}",
            "{'Image':'busybox','HostConfig':{'Binds':['%s:/x'],'binds':[null]}}",
            "{'Image':'busybox','Binds':['%s:/x']}",
            "{'Image':'busybox','HostConfig':{'Binds':['%s:/x']}} {}",
            "{'Image':'busybox','HostConfig':{'Mounts':[{'Type':'volume','Target':'/x','VolumeOptions':{'DriverConfig':{'Name':'local','Options':{'type':'none','o':'bind','device':'%s'}}}}]}}",
            "{'Image':'busybox','hostconfig':{'mounts':[{'type':'volume','target':'/x','volumeoptions':{'driverconfig':{'options':{'type':'ext4','o':'ro,rbind','device':'%s'}}}}]}}")) {
      var json = form.replace('\'', '"');
      var said = api(CREATE, json.formatted(unshared));
      assertSays(denied(unshared), said);
      assertTrue(said.endsWith(" 403"), said);
      assertNothingIsMade();

      lab.guest().shell("touch " + app + "/seen");
      var made =
          api(
              CREATE + "?name=form",
              json.formatted(app)
                  .replace("\"image", "\"Cmd\":[\"ls\",\"/x/seen\"],\"image")
                  .replace("\"Image", "\"Cmd\":[\"ls\",\"/x/seen\"],\"Image"));
      assertTrue(made.endsWith(" 201"), form + "\n" + made);
      assertEquals("/x/seen", engine.docker("start", "-a", "form").expectSuccess(), form);
      engine.docker("rm", "-v", "form").expectSuccess();
    }
  }

  /** Go merges these two into a bind of the first one's source. */
  @Test
  void mountInPartsIsRefused() {
    var said =
        api(
            CREATE,
            "{\"Image\":\"busybox\",\"HostConfig\":{\"Mounts\":[{\"Source\":\"%s\",\"Target\":\"/x\"}],\"mounts\":[{\"Type\":\"bind\"}]}}"
                .formatted(app));
    assertSays("names mounts twice", said);
    assertTrue(said.endsWith(" 403"), said);
  }

  @Test
  void noPathGetsRoundTheCheck() {
    for (var path :
        List.of(
            "/containers/create",
            "/v1.24/containers/create?name=x",
            "/v1.41/containers/%63reate",
            "/v1.41/containers%2fcreate",
            "/v1.41//containers/create",
            "/v1.41/x/../containers/create",
            "/v1.41/containers/create/")) {
      assertSays(denied(unshared), followed(path));
    }
    assertSays(
        denied(unshared),
        api("/", binds(unshared), "--request-target", "http://docker/v1.41/containers/create"));
    assertNothingIsMade();
  }

  /** The engine sends some of these elsewhere before it asks; what it does not know it refuses. */
  private String followed(String path) {
    var said = api(path, binds(unshared), "--location", "--post301");
    return said.endsWith(" 404") ? denied(unshared) : said;
  }

  @Test
  void bodyThatTheEngineDoesNotPassOnIsRefused() {
    for (var odd : List.of("Content-Type: text/plain", "Transfer-Encoding: chunked")) {
      var said =
          lab.guest()
              .run(
                  "curl",
                  "--silent",
                  "--unix-socket",
                  "/run/docker.sock",
                  "--header",
                  "Content-Type: application/json",
                  "--header",
                  odd,
                  "--data-binary",
                  binds(unshared),
                  "http://docker" + CREATE)
              .expectSuccess();
      assertSays(DENIED, said);
    }
    lab.guest()
        .shell(
            "(printf '{\"Image\":\"busybox\",\"Labels\":{\"a\":\"'; head -c 1100000 /dev/zero | tr '\\0' x; printf '\"}}') > %s/big"
                .formatted(lab.mnt()));
    assertSays("passed no body", api(CREATE, "@" + lab.mnt() + "/big"));
    assertNothingIsMade();
  }

  @Test
  void volumeThatBindsIsChecked() {
    var options = List.of("--opt", "type=none", "--opt", "o=bind");
    for (var device : List.of(unshared, app)) {
      var line = new ArrayList<>(List.of("volume", "create", "--opt", "device=" + device));
      line.addAll(options);
      line.add("bound");
      var made = engine.docker(line.toArray(String[]::new));
      if (device.equals(unshared)) {
        assertSays(denied(unshared), made.expectFailure());
        assertFalse(engine.docker("volume", "ls").expectSuccess().contains("bound"));
      } else {
        made.expectSuccess();
      }
    }
    run("-v", "bound:/v", "busybox", "touch", "/v/made").expectSuccess();
    assertSays("made", lab.guest().shell("ls " + app));
    engine.docker("volume", "rm", "bound").expectSuccess();
  }

  @Test
  void servicesAreCheckedBeforeTheEngineLooksForASwarm() {
    var spec =
        "{\"Name\":\"s\",\"TaskTemplate\":{\"ContainerSpec\":{\"Image\":\"busybox\",\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"%s\",\"Target\":\"/x\"}]}}}";
    for (var path : List.of("/v1.41/services/create", "/v1.41/services/s/update?version=1")) {
      assertSays(denied(unshared), api(path, spec.formatted(unshared)));
      assertSays("not a swarm manager", api(path, spec.formatted(app)));
    }
  }

  @Test
  void mountsOfAStartAreChecked() {
    engine.docker("create", "--name", "old", "--network=none", "busybox", "true").expectSuccess();
    var path = "/v1.23/containers/old/start";
    assertSays(denied(unshared), api(path, "{\"Binds\":[\"%s:/x\"]}".formatted(unshared)));
    assertEquals("204", api("/v1.41/containers/old/start", ""));
    engine.docker("wait", "old").expectSuccess();
    engine.docker("rm", "old").expectSuccess();
    assertNothingIsMade();
  }

  @Test
  void shareThatGoesIsRefusedAtOnce() {
    lab.unmount();
    try {
      assertSays(denied(app), run("-v", app + ":/app", "busybox", "true").expectFailure());
      assertFalse(Files.exists(Path.of(app)), app);
    } finally {
      lab.mount();
    }
    run("-v", app + ":/app", "busybox", "true").expectSuccess();
  }

  @Test
  void mountThatHangsHoldsUpNobody() {
    assumeTrue(lab.isServed());
    var agent = lab.guest().shell("basename /run/hostshare/*.sock .sock");
    lab.guest().shell("kill -STOP " + agent);
    try {
      assertSays("takes more than 5 s", api(CREATE, binds(app + "/never/looked/up")));
      engine.docker("ps").expectSuccess();
      run("-v", "named:/x", "busybox", "true").expectSuccess();
      assertSays(denied(unshared), api(CREATE, binds(unshared)));
    } finally {
      lab.guest().shell("kill -CONT " + agent);
    }
    run("-v", app + "/never/looked/up:/app", "busybox", "true").expectSuccess();
  }

  @Test
  void withoutThePluginNothingStarts() throws Exception {
    plugin.kill();
    try {
      // A client that is not told the API's version asks for it first, and tells only that it got
      // no answer.
      var said =
          lab.guest()
              .run(
                  "env",
                  "DOCKER_API_VERSION=1.41",
                  "docker",
                  "run",
                  "-v",
                  app + ":/app",
                  "busybox",
                  "touch",
                  "/app/made")
              .expectFailure();
      assertSays("plugin hostshare failed with error", said);
      assertFalse(Files.exists(lab.host().resolve(Path.of(app).getFileName()).resolve("made")));
    } finally {
      plugin = DockerPlugin.start(lab.guest());
    }
    run("-v", app + ":/app", "busybox", "touch", "/app/made").expectSuccess();
    assertSays(denied(unshared), run("-v", unshared + ":/a", "busybox", "true").expectFailure());
    assertNothingIsMade();
  }

  @Test
  void socketBelongsToOne() throws Exception {
    assertEquals("600 0 socket", lab.guest().shell("stat -c '%a %u %F' " + DockerPlugin.SOCKET));
    var said = lab.agent("docker-plugin").expectFailure();
    assertSays("another docker-plugin serves there", said);
    assertEquals(1, said.lines().count(), said);
    assertEquals(2, lab.agent("docker-plugin", "--allow", "srv").status());

    assertEquals(0, plugin.stop());
    lab.guest().run("test", "-e", DockerPlugin.SOCKET).expectFailure();
    plugin = DockerPlugin.start(lab.guest());
    run("-v", app + ":/app", "busybox", "true").expectSuccess();
  }

  @Test
  void allowedPathsAreChosen() throws Exception {
    plugin.stop();
    plugin = DockerPlugin.start(lab.guest(), "--no-default-paths", "--allow", unshared);
    try {
      run("-v", unshared + "/x:/a", "busybox", "true").expectSuccess();
      assertSays(
          denied("/run/docker.sock"),
          run("-v", "/run/docker.sock:/a", "busybox", "true").expectFailure());
    } finally {
      plugin.stop();
      plugin = DockerPlugin.start(lab.guest());
    }
    assertSays(denied(unshared), run("-v", unshared + ":/a", "busybox", "true").expectFailure());
    lab.guest().shell("rm -r " + unshared);
  }

  /** As at boot: an engine that does not find its plugin waits for it for a while. */
  @Test
  void pluginMayStartAfterTheEngine() throws IOException {
    try (var guest = Guest.start()) {
      var late = DockerEngine.launch(guest, "--authorization-plugin=hostshare");
      guest.shell(
          "until grep -q 'Unable to locate plugin: hostshare, retrying' %s; do :; done"
              .formatted(late.log()));
      // The engine is closed first: it asks the plugin whether it may remove its containers.
      try (var started = DockerPlugin.start(guest);
          late) {
        late.awaitAnswer();
        assertTrue(late.docker("ps").status() == 0, started.log());
      }
    }
  }
}
